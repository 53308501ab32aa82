"""An outside service on loopback, at the level of HTTP."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Any, Self

from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.testing import bind_unused_port
from tornado.web import Application


class FakeService:
    """`faults` are what the next requests get; `let_go` ends those that hang."""

    def __init__(self, routes: list[Any]) -> None:
        self.faults: deque[str] = deque()
        self.let_go = asyncio.Event()
        self._server = HTTPServer(Application(routes, log_function=lambda _: None))
        socket, port = bind_unused_port()
        self._server.add_socket(socket)
        self.api_base = f"http://127.0.0.1:{port}"

    async def close(self) -> None:
        self.let_go.set()
        self._server.stop()
        await self._server.close_all_connections()

    @classmethod
    def running(cls, io_loop: IOLoop) -> Iterator[Self]:
        """The body of a fixture."""

        async def start() -> Self:
            return cls()  # type: ignore[call-arg]

        service = io_loop.run_sync(start)
        yield service
        io_loop.run_sync(service.close)
