"""The close codes of both sockets (RFC 6455 section 7.4; 4000-4999 are this application's)."""

GOING_AWAY = 1001
TRY_AGAIN = 1013
BAD = 4400
SIGNED_OUT = 4401
# The user's own call, but not allowed now: banned, no access, no selfie.
BANNED = NOT_ALLOWED = 4403
NOT_FOUND = 4404
TOO_SLOW = 4408
REPLACED = 4409
TOO_MANY = 4429
# The code for a Problem by its HTTP status; BAD for any other.
BY_STATUS = {401: SIGNED_OUT, 403: NOT_ALLOWED, 404: NOT_FOUND, 429: TOO_MANY, 503: TRY_AGAIN}
