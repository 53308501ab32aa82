"""A socket that reconnects automatically as docs/protocol.md demands.

Waits with jitter from 0.3 s to 8 s, and never reconnects after a close code that forbids it. It records how
often it was opened and how it was closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Callable
from typing import Any

from tornado.httpclient import HTTPError
from tornado.websocket import WebSocketClosedError, WebSocketError

from tests.support.clients import Socket
from tests.support.pace import within

FINAL = (1000, 4401, 4403, 4404, 4409)
LEAST, MOST = 0.3, 8.0
AWAY = (OSError, HTTPError, WebSocketError, asyncio.TimeoutError)
Told = dict[str, Any]


class Line:
    """`url()` gives the URL of each opening. `heard` is called with every message first; then the message
    waits for a reader.
    """

    def __init__(self, url: Callable[[], str], path: str, token: str, heard: Callable[[Told], None]) -> None:
        self._url, self._path, self._token, self._heard = url, path, token, heard
        self._socket: Socket | None = None
        self._news = asyncio.Event()
        self._closed = asyncio.Event()
        self.inbox: list[Told] = []
        self.codes: list[int | None] = []
        self.tries = 0
        self.opened = 0
        self._task = asyncio.get_running_loop().create_task(self._live())

    async def _live(self) -> None:
        while True:
            code = await self._once()
            self.codes.append(code)
            self._news.set()
            if code in FINAL:
                return
            await self._pause()

    async def _pause(self) -> None:
        """A pause, shorter if the socket is closed for good in that time."""
        most = min(MOST, LEAST * 2**self.tries)
        self.tries += 1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(most * (0.5 + random.random() / 2)):
                await self._closed.wait()

    async def _once(self) -> int | None:
        """From opening to closing; returns the close code, None if it could not be opened."""
        try:
            async with asyncio.timeout(within(10)):
                socket = self._socket = await Socket.connect(self._url(), self._path, self._token)
        except AWAY:
            return None
        self.opened += 1
        try:
            while (frame := await socket.connection.read_message()) is not None:
                self.tries = 0
                self._take(json.loads(frame))
        finally:
            self._socket = None
            socket.close()
        return socket.connection.close_code or 1006

    def _take(self, message: Told) -> None:
        self.inbox.append(message)
        self._heard(message)
        self._news.set()

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    def send(self, type: str, **fields: Any) -> bool:
        """Whether it was sent."""
        if self._socket is None:
            return False
        try:
            self._socket.send(type, **fields)
        except WebSocketClosedError:
            return False
        return True

    async def hear(self, *types: str, seconds: float = 10.0, **match: Any) -> Told:
        """The oldest unread message of one of these types and with these values."""
        async with asyncio.timeout(within(seconds)):
            while (found := self._find(types, match)) is None:
                self._news.clear()
                await self._news.wait()
        self.inbox.remove(found)
        return found

    def _find(self, types: tuple[str, ...], match: Told) -> Told | None:
        for message in self.inbox:
            if message["type"] in types and all(message.get(key) == value for key, value in match.items()):
                return message
        return None

    async def over(self, seconds: float = 10.0) -> int:
        """The close code after which it stays closed."""
        async with asyncio.timeout(within(seconds)):
            while not (self.codes and self.codes[-1] in FINAL):
                self._news.clear()
                await self._news.wait()
        return self.codes[-1] or 0

    async def close(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
