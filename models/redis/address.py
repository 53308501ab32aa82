"""REDIS_URL as redis-py parses it: address, TLS settings and credentials."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import redis.asyncio as aioredis
from redis.credentials import UsernamePasswordCredentialProvider

RedisCommand = tuple[Any, ...]


class RedisAddress:
    """The address and credentials. redis-py parses every setting; the connection is
    `models.redis.connection`.
    """

    def __init__(self, redis_url: str) -> None:
        # Without `driver_info=None`, each connection would read the metadata of the installed package.
        self._pool: Any = aioredis.ConnectionPool.from_url(redis_url, driver_info=None)

    async def connect(self, protocol: asyncio.BaseProtocol) -> None:
        """Raises OSError, ssl.SSLError."""
        # Never connected. Created for each connection, so that renewed certificates are read.
        settings = self._pool.make_connection()
        loop = asyncio.get_running_loop()
        if isinstance(settings, aioredis.UnixDomainSocketConnection):
            await loop.create_unix_connection(lambda: protocol, settings.path)
            return
        tls = settings.ssl_context.get() if isinstance(settings, aioredis.SSLConnection) else None
        transport, _ = await loop.create_connection(lambda: protocol, settings.host, settings.port, ssl=tls)
        _keep_alive(transport, settings)

    async def greeting(self) -> list[RedisCommand]:
        """The first commands on a connection; if the last one is answered, the server works."""
        settings = self._pool.make_connection()
        commands: list[RedisCommand] = []
        provider = settings.credential_provider
        if provider is None and (settings.username or settings.password):
            provider = UsernamePasswordCredentialProvider(settings.username, settings.password)
        if provider is not None:
            commands.append(("AUTH", *await provider.get_credentials_async()))
        if settings.client_name:
            commands.append(("CLIENT", "SETNAME", settings.client_name))
        if settings.db:
            commands.append(("SELECT", settings.db))
        return [*commands, ("PING",)]


def _keep_alive(transport: asyncio.BaseTransport, settings: Any) -> None:
    """Enables TCP keepalive, so that a connection dropped by a firewall is detected even when idle."""
    found = transport.get_extra_info("socket")
    if settings.socket_keepalive and found is not None:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
