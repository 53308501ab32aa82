"""An API client of the site: JSON over HTTP and both sockets, signed in by a Bearer token."""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import httpx
import websockets.exceptions
from websockets.asyncio.client import ClientConnection, connect

from robots.uninterrupted import to_its_end

SiteMessage = dict[str, Any]
SECONDS = 10.0


class SiteError(Exception):
    """The site refused or did not answer; the text names the request and the cause."""


class Socket:
    """One of the two sockets: JSON messages in both directions."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, message: SiteMessage) -> None:
        """A message to a socket that has closed is dropped: `messages` ends then."""
        with contextlib.suppress(websockets.exceptions.ConnectionClosed):
            await self._connection.send(json.dumps(message))

    async def messages(self) -> AsyncGenerator[SiteMessage]:
        """The messages until the socket closes."""
        with contextlib.suppress(websockets.exceptions.ConnectionClosed):
            async for frame in self._connection:
                yield json.loads(frame)

    @property
    def close_code(self) -> int | None:
        return self._connection.close_code


class Client:
    def __init__(self, base_url: str, token: str, tls: ssl.SSLContext | None = None) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._tls = tls or (ssl.create_default_context() if base_url.startswith("https") else None)
        self._http = httpx.AsyncClient(
            base_url=self._base_url,
            headers=self._headers | {"Accept": "application/json"},
            timeout=SECONDS,
            trust_env=False,
            verify=self._tls or True,
        )

    async def get(self, path: str) -> Any:
        """Raises: SiteError."""
        return await self._ask("GET", path)

    async def post(self, path: str, body: SiteMessage) -> Any:
        """Raises: SiteError."""
        return await self._ask("POST", path, json=body)

    async def upload(self, path: str, field: str, data: bytes) -> None:
        """Raises: SiteError."""
        await self._ask("POST", path, files={field: ("picture.jpg", data, "image/jpeg")})

    async def _ask(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = await self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise SiteError(f"{method} {path.partition('?')[0]}: {type(error).__name__}") from error
        if answer.is_error:
            raise SiteError(f"{method} {path.partition('?')[0]}: status {answer.status_code}")
        return answer.json() if answer.content else None

    @contextlib.asynccontextmanager
    async def socket(self, path: str) -> AsyncIterator[Socket]:
        """Raises: SiteError, if it cannot be opened."""
        url = "ws" + self._base_url.removeprefix("http") + path
        try:
            connection = await connect(
                url,
                additional_headers=self._headers,
                ssl=self._tls,
                compression=None,
                proxy=None,
                open_timeout=SECONDS,
                close_timeout=1,
            )
        except (OSError, TimeoutError, websockets.exceptions.InvalidHandshake) as error:
            raise SiteError(f"{path.rpartition('/')[0] or path}: {error}") from error
        try:
            yield Socket(connection)
        finally:
            await to_its_end(connection.close())

    async def close(self) -> None:
        await to_its_end(self._http.aclose())
