"""The takeover of an upgraded request from Tornado: its connection moves to an asyncio protocol.

Tornado's own protocol reads a frame in several awaited steps and writes through a task, which costs more than
relaying the frame (docs/decisions/web/whole-frames.md).
"""

from __future__ import annotations

import asyncio
from typing import Any

from tornado.iostream import IOStream
from tornado.websocket import WebSocketHandler, WebSocketProtocol

from handlers.realtime.frame_protocol import answer_to
from handlers.realtime.websocket import WebSocketConnection

# A client may send frames before it has seen the 101 (they wait behind the request's head).
MOST_EARLY = 256 * 1024


class Takeover(WebSocketProtocol):
    """The protocol that Tornado sees: it answers the handshake and passes everything on to `connection`."""

    def __init__(self, handler: Any, connection: WebSocketConnection) -> None:
        super().__init__(handler)
        self._connection = connection

    async def accept_connection(self, handler: WebSocketHandler) -> None:
        answer = answer_to(handler.request)
        if answer is None:
            handler.set_status(400)
            await handler.finish("The WebSocket handshake is incomplete.")
            return
        handler.set_status(101)
        handler.application.log_request(handler)
        stream = handler.detach()
        early = received_early(stream)
        if not stream.closed():
            self._connection.feed(early)
            await move(stream, self._connection)
        await self._connection.start(answer, lambda: handler.open(*handler.open_args, **handler.open_kwargs))

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        self._connection.close(code, reason)

    def is_closing(self) -> bool:
        return not self._connection.is_open

    def on_connection_close(self) -> None:
        self._connection.drop()

    def write_message(
        self, message: str | bytes | dict[str, Any], binary: bool = False
    ) -> asyncio.Future[None]:
        assert isinstance(message, bytes)
        self._connection.send(message)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    @property
    def selected_subprotocol(self) -> str | None:
        return None

    def write_ping(self, data: bytes) -> None:
        self._connection.ping(data)

    def set_nodelay(self, x: bool) -> None:
        """asyncio and uvloop set TCP_NODELAY on every connection themselves."""

    def start_pinging(self) -> None:
        """The connection has its own timer."""

    def _process_server_headers(self, key: str | bytes, headers: Any) -> None:
        raise NotImplementedError("only servers use this protocol")

    async def _receive_frame_loop(self) -> None:
        raise NotImplementedError("only servers use this protocol")


def received_early(stream: IOStream) -> bytes:
    """Frames that arrived together with the request's head. The stream is closed if the read finds the end
    of the connection.
    """
    if stream.closed():
        return b""
    early = asyncio.ensure_future(stream.read_bytes(MOST_EARLY, partial=True))
    return early.result() if early.done() and early.exception() is None else b""


async def move(stream: IOStream, protocol: asyncio.Protocol) -> None:
    """Connects `protocol` to a duplicate of the stream's descriptor, and closes the stream."""
    connection = stream.socket.dup()
    stream.close()
    connection.setblocking(False)
    await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, connection)
