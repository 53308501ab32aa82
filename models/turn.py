"""ICE servers for the two parties of a live call (RFC 8445): the STUN list of the settings."""

from __future__ import annotations

import msgspec

from models.config import Config

TTL_SECONDS = 600


class IceServer(msgspec.Struct, frozen=True, omit_defaults=True):
    """RTCIceServer of W3C webrtc-pc."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class IceServers(msgspec.Struct, frozen=True, rename="camel"):
    """`ttl` seconds after which the client asks again before an ICE restart."""

    ice_servers: list[IceServer]
    ttl: int


class Turn:
    def __init__(self, config: Config) -> None:
        self._stun = [IceServer(urls=list(config.stun_urls))] if config.stun_urls else []

    async def servers(self) -> IceServers:
        return IceServers(ice_servers=self._stun, ttl=TTL_SECONDS)
