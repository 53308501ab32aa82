"""ICE servers (RFC 8445) for a user in a live call, and for the connection check.

In this order: own coturn (`TURN_URLS`, `TURN_SECRET`; TURN REST credentials of
draft-uberti-behave-turn-rest-00), Twilio, STUN. Credentials are valid for as long as the call can last, at
most `TURN_TTL_SECONDS`. Twilio's tokens are cached in Redis until they expire and handed out during the first
half of their lifetime; coturn's credentials are computed and need no cache. If a provider is down, it is left
out and the TTL is short, so that the client asks again soon. User names are keyed digests and do not identify
a user.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

import msgspec

from models.calls.turn_tokens import TokenServer, TurnProvider, TurnUnavailable
from models.clock import Clock
from models.errors import Unavailable
from models.redis import keys
from models.redis.client import Bus
from models.settings.config import Config

# STUN servers have no credentials that could expire.
STUN_TTL_SECONDS = 600
# A provider was down: the client asks again at the first ICE restart after this.
AWAY_TTL_SECONDS = 30
# For the time from accept to media, a reload at the end, and clock differences.
MARGIN_SECONDS = 60
TWILIO_SECONDS = 3.0
# The timeout for Twilio if there is an own coturn.
SECOND_SECONDS = 1.0


class IceServer(msgspec.Struct, frozen=True, omit_defaults=True):
    """RTCIceServer of W3C webrtc-pc."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class IceServers(msgspec.Struct, frozen=True, rename="camel"):
    """`ttl` is in seconds; after half of it, the client asks again before an ICE restart."""

    ice_servers: list[IceServer]
    ttl: int


class Fetched(msgspec.Struct, frozen=True):
    """A token in the cache: its servers, and when it was made and expires (epoch seconds)."""

    servers: list[IceServer]
    made_at: int
    ends_at: int


class Turn:
    def __init__(self, config: Config, bus: Bus, clock: Clock) -> None:
        self._bus, self._clock, self._config = bus, clock, config
        self._most_seconds = config.turn_ttl_seconds
        self._secret = config.turn_secret or ""
        # Relay-only calls do not need STUN, and a STUN server would see the user's address.
        stun = () if config.relay_only else config.stun_urls
        self._stun = [IceServer(urls=list(stun))] if stun else []
        self._twilio: TurnProvider | None = None
        if config.twilio_account_sid and config.twilio_auth_token:
            # Here, so that a site without Twilio starts faster.
            from models.calls.twilio import TwilioApi

            self._twilio = TwilioApi(
                config.twilio_account_sid, config.twilio_auth_token, config.twilio_api_base, clock
            )

    async def close(self) -> None:
        if self._twilio is not None:
            await self._twilio.close()

    async def for_call(self, call_id: str, user_id: str, remaining_ms: int) -> IceServers:
        """Servers for a user in a live call with `remaining_ms` left on its clock."""
        seconds, key = self._life(remaining_ms), keys.ice(call_id, user_id)
        return await self._servers(f"{call_id}:{user_id}", "call", seconds, key)

    def at_once(self, call_id: str, user_id: str, remaining_ms: int) -> IceServers | None:
        """`for_call` without waiting. None with Twilio: a page does not wait for another site."""
        if self._twilio is not None:
            return None
        seconds = self._life(remaining_ms)
        own = self._own(f"{call_id}:{user_id}", "call", seconds)
        return IceServers(ice_servers=[*own, *self._stun], ttl=seconds if own else STUN_TTL_SECONDS)

    def _life(self, remaining_ms: int) -> int:
        """Seconds for which credentials of a call are valid."""
        lasts = -(-remaining_ms // 1000) + self._config.pause_seconds + MARGIN_SECONDS
        return min(lasts, self._most_seconds)

    async def for_check(self, address: str) -> IceServers:
        """Short-lived servers. Their user names have the kind `check`, so that coturn counts them apart."""
        seconds = self._config.turn_check_seconds
        found = await self._servers(address, "check", seconds, None)
        return IceServers(ice_servers=found.ice_servers, ttl=min(found.ttl, seconds))

    async def _servers(self, subject: str, kind: str, seconds: int, key: str | None) -> IceServers:
        own, ttl = self._own(subject, kind, seconds), seconds
        fetched: list[IceServer] = []
        if self._twilio is not None:
            try:
                fetched, ttl = await self._from_twilio(self._twilio, seconds, key)
            except TurnUnavailable:
                ttl = seconds if own else min(seconds, AWAY_TTL_SECONDS)
        elif not own:
            ttl = STUN_TTL_SECONDS
        return IceServers(ice_servers=[*own, *fetched, *self._stun], ttl=ttl)

    def _own(self, subject: str, kind: str, seconds: int) -> list[IceServer]:
        """User name `<end>:<kind>-<digest>`: coturn checks the end and counts allocations by the rest."""
        if not self._config.turn_urls:
            return []
        digest = hmac.new(self._secret.encode(), f"{kind}:{subject}".encode(), hashlib.sha256)
        username = f"{self._now + seconds}:{kind}-{digest.hexdigest()[:16]}"
        return [IceServer(list(self._config.turn_urls), username, credential(self._secret, username))]

    @property
    def _now(self) -> int:
        return int(self._clock.now().timestamp())

    async def _from_twilio(
        self, twilio: TurnProvider, seconds: int, key: str | None
    ) -> tuple[list[IceServer], int]:
        """A token's servers and its remaining seconds. Raises: TurnUnavailable."""
        held = await self._kept(key)
        if held is None:
            patience = SECOND_SECONDS if self._config.turn_urls else TWILIO_SECONDS
            now, token = self._now, await twilio.token(seconds, patience)
            held = Fetched(_grouped(token.servers), now, now + token.ttl)
            await self._keep(key, held)
        return held.servers, held.ends_at - self._now

    async def _kept(self, key: str | None) -> Fetched | None:
        """The cached token, unless more than half of its lifetime has passed."""
        if key is None:
            return None
        try:
            found = await self._bus.command("get", key)
            held = msgspec.json.decode(found, type=Fetched) if found else None
        except (Unavailable, msgspec.DecodeError):
            return None
        return held if held and 2 * self._now < held.made_at + held.ends_at else None

    async def _keep(self, key: str | None, held: Fetched) -> None:
        if key is None:
            return
        try:
            await self._bus.command("set", key, msgspec.json.encode(held), "ex", held.ends_at - held.made_at)
        except Unavailable:
            return  # The next request fetches a new token.


def credential(secret: str, username: str) -> str:
    """base64(HMAC-SHA1(secret, username)): draft-uberti-behave-turn-rest-00, section 2.2."""
    return base64.b64encode(hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()).decode()


def _grouped(servers: list[TokenServer]) -> list[IceServer]:
    """One entry per pair of credentials, with its URLs in Twilio's order."""
    addresses: dict[tuple[str | None, str | None], list[str]] = {}
    for one in servers:
        addresses.setdefault((one.username, one.credential), []).append(one.urls)
    return [IceServer(urls, username, secret) for (username, secret), urls in addresses.items()]
