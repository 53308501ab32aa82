"""Tokens of a TURN provider: servers with credentials, and how long they are valid."""

from __future__ import annotations

from typing import Protocol

import msgspec


class TurnUnavailable(Exception):
    """The provider cannot be used now."""


class TokenServer(msgspec.Struct, frozen=True):
    """One entry of a token's `ice_servers`."""

    urls: str
    username: str | None = None
    credential: str | None = None


class TurnToken(msgspec.Struct, frozen=True):
    """TURN servers with credentials, and their lifetime in seconds."""

    servers: list[TokenServer]
    ttl: int


class TurnProvider(Protocol):
    """A provider of tokens: `models.calls.twilio.TwilioApi`."""

    async def token(self, ttl: int, seconds: float) -> TurnToken:
        """A new token, valid for at most `ttl` seconds, within `seconds`. Raises: TurnUnavailable."""

    async def close(self) -> None: ...
