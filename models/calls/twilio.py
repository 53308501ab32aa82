"""TURN credentials from Twilio (Network Traversal Service). The only module that imports twilio.

Imported only by a process whose settings name Twilio: the library takes a tenth of a second of CPU time.

A request returns a token or raises TurnUnavailable within its time limit. After a failure, Twilio is not
called for half a minute, so that an outage delays one call page and not all of them. Failures are logged by
kind, status and Twilio's error number, never with a message or a URL, because those contain the account.
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

from models.calls.turn_tokens import TokenServer, TurnToken, TurnUnavailable
from models.clock import Clock

logger = logging.getLogger(__name__)
REST = timedelta(seconds=30)
# The library logs the URL of every request, which contains the account.
logging.getLogger("twilio").setLevel(logging.WARNING)
# Otherwise the library reads these two from the environment.
NO_ENVIRONMENT = {"TWILIO_EDGE": "", "TWILIO_REGION": ""}
# Every way in which Twilio can fail: timeout, network, rejection, or a malformed response.
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


class TwilioHttp(AsyncTwilioHttpClient):  # type: ignore[misc]
    """Sends basic authentication as a header: the class that the library uses is deprecated in aiohttp."""

    async def request(self, method: str, url: str, **options: Any) -> Any:
        name, token = options.pop("auth")
        signed = base64.b64encode(f"{name}:{token}".encode()).decode()
        headers = {**options.pop("headers"), "Authorization": f"Basic {signed}"}
        return await super().request(method, url, headers=headers, **options)


class TwilioApi:
    """With `TWILIO_ACCOUNT_SID`, `TWILIO_AUTH_TOKEN` and, in tests, another `TWILIO_API_BASE`."""

    def __init__(self, account_sid: str, auth_token: str, api_base: str, clock: Clock) -> None:
        self._account_sid, self._auth_token, self._api_base = account_sid, auth_token, api_base
        self._clock = clock
        self._http: Any = None
        self._tokens: Any = None
        self._rests_until: datetime | None = None

    async def token(self, ttl: int, seconds: float) -> TurnToken:
        """A new token, valid for at most `ttl` seconds, within `seconds`. Raises: TurnUnavailable."""
        if self._rests_until is not None and self._clock.now() < self._rests_until:
            raise TurnUnavailable
        try:
            async with asyncio.timeout(seconds):
                made = await self._opened().create_async(ttl=ttl)
            return TurnToken(_turn_servers(made.ice_servers), _life(made.ttl, ttl))
        except AWAY as error:
            self._rests_until = self._clock.now() + REST
            _log(error)
            raise TurnUnavailable from None

    def _opened(self) -> Any:
        """The client is created on first use, because it needs the running event loop."""
        if self._tokens is None:
            self._http = TwilioHttp()
            client = Client(
                self._account_sid, self._auth_token, http_client=self._http, environment=NO_ENVIRONMENT
            )
            client.api.base_url = self._api_base
            self._tokens = client.api.v2010.accounts(self._account_sid).tokens
        return self._tokens

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()


def _turn_servers(ice_servers: object) -> list[TokenServer]:
    """The TURN servers of a token, without its STUN servers. Raises: ValueError if there are none."""
    servers = msgspec.convert(ice_servers, list[TokenServer])
    usable = [
        one for one in servers if one.urls.startswith(("turn:", "turns:")) and one.username and one.credential
    ]
    if not usable:
        raise ValueError("a token without TURN servers")
    return usable


def _life(said: object, asked: int) -> int:
    """The lifetime that Twilio reports, at most what was requested. Raises: ValueError."""
    life = min(asked, int(str(said)) if said is not None else asked)
    if life <= 0:
        raise ValueError("an expired token")
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
