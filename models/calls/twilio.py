"""The thin shim around Twilio's tokens of TURN credentials (Network Traversal Service). The door to twilio.

Promises an answer or TwilioAway within the time it is given, and to leave a failing Twilio alone for half a
minute, so that its failure costs one call page a moment and the others nothing. Logs what went wrong by kind,
status and Twilio's own error number: never a message or an address, for those show the account.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import msgspec
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from models.clock import Clock

logger = logging.getLogger(__name__)
REST = timedelta(seconds=30)
# The library logs every request with its address, which holds the account.
logging.getLogger("twilio").setLevel(logging.WARNING)
# It would read these two from the environment by itself.
NO_ENVIRONMENT = {"TWILIO_EDGE": "", "TWILIO_REGION": ""}
# Whatever says that Twilio cannot be used now: too late, unreachable, refused, or not in Twilio's form.
AWAY = (
    TimeoutError,
    aiohttp.ClientError,
    OSError,
    TwilioException,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
)


class Http(AsyncTwilioHttpClient):  # type: ignore[misc]
    """The library's own client signs in by a class that aiohttp calls outdated; a header says the same."""

    async def request(self, method: str, url: str, **options: Any) -> Any:
        name, token = options.pop("auth")
        signed = base64.b64encode(f"{name}:{token}".encode()).decode()
        headers = {**options.pop("headers"), "Authorization": f"Basic {signed}"}
        return await super().request(method, url, headers=headers, **options)


class TwilioAway(Exception):
    """No token now; `kind` is safe to log."""


class TwilioServer(msgspec.Struct, frozen=True):
    """One entry of the token's `ice_servers`."""

    urls: str
    username: str | None = None
    credential: str | None = None


class TwilioToken(msgspec.Struct, frozen=True):
    """TURN servers with credentials, and the seconds they live."""

    servers: list[TwilioServer]
    ttl: int


class TwilioApi:
    """With `TWILIO_ACCOUNT_SID`, `TWILIO_AUTH_TOKEN` and, in tests, another `TWILIO_API_BASE`."""

    def __init__(self, account_sid: str, auth_token: str, api_base: str, clock: Clock) -> None:
        self._account_sid, self._auth_token, self._api_base = account_sid, auth_token, api_base
        self._clock = clock
        self._http: Any = None
        self._tokens: Any = None
        self._rests_until: datetime | None = None

    async def token(self, ttl: int, seconds: float) -> TwilioToken:
        """A new token that lives at most `ttl` seconds, within `seconds`. Raises TwilioAway."""
        if self._rests_until is not None and self._clock.now() < self._rests_until:
            raise TwilioAway
        try:
            async with asyncio.timeout(seconds):
                made = await self._opened().create_async(ttl=ttl)
            return TwilioToken(_turn_servers(made.ice_servers), _life(made.ttl, ttl))
        except AWAY as error:
            self._rests_until = self._clock.now() + REST
            _log(error)
            raise TwilioAway from None

    def _opened(self) -> Any:
        """The library's client opens its connections inside the loop that uses it."""
        if self._tokens is None:
            self._http = Http()
            client = Client(
                self._account_sid, self._auth_token, http_client=self._http, environment=NO_ENVIRONMENT
            )
            client.api.base_url = self._api_base
            self._tokens = client.api.v2010.accounts(self._account_sid).tokens
        return self._tokens

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()


def _turn_servers(ice_servers: object) -> list[TwilioServer]:
    """Those with credentials; their STUN servers are not ours. Raises ValueError when there are none."""
    servers = msgspec.convert(ice_servers, list[TwilioServer])
    usable = [
        one for one in servers if one.urls.startswith(("turn:", "turns:")) and one.username and one.credential
    ]
    if not usable:
        raise ValueError("a token without TURN servers")
    return usable


def _life(said: object, asked: int) -> int:
    """What Twilio says, but never more than was asked for. Raises ValueError."""
    life = min(asked, int(str(said)) if said is not None else asked)
    if life <= 0:
        raise ValueError("a token that is over")
    return life


def _log(error: BaseException) -> None:
    facts: dict[str, object] = {"kind": type(error).__name__}
    if isinstance(error, TwilioRestException):
        facts |= {"status": error.status, "twilio_code": error.code}
    is_ours = facts.get("status") in (400, 401, 403, 404)
    logger.log(
        logging.ERROR if is_ours else logging.WARNING,
        "Twilio gave no TURN credentials; calls go on without them",
        extra=facts,
    )
