"""The WebSocket protocol (RFC 6455) as this site uses it: whole frames in, whole frames out, nothing in
between.

Tornado's own protocol reads a frame in four awaited parts and writes it through a task. This one takes the
accepted connection over from it (`WebSocketHandler.get_websocket_protocol` is the place for that), lets the
event loop hand it the bytes, and gives each complete text message to the handler at once. A handler that
returns an awaitable is waited for, with reading paused, so that messages stay in order and a slow command
cannot pile up memory. See docs/decisions/whole-frames.md.

Refuses: frames without a mask, reserved bits, broken UTF-8 (1007), messages over `max_bytes`, a peer that is
silent for two pings, a reader that lets more than `max_waiting` bytes wait.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import struct
import sys
from collections.abc import Awaitable
from typing import Any, ClassVar, Protocol, cast

from tornado.util import _websocket_mask as unmask
from tornado.websocket import WebSocketHandler, WebSocketProtocol, WebSocketProtocol13

logger = logging.getLogger(__name__)
CLOSE_SECONDS = 5
FIN, TEXT, BINARY, CLOSE, PING, PONG = 0x80, 0x1, 0x2, 0x8, 0x9, 0xA
WHOLE_TEXT = FIN | TEXT
PROTOCOL_ERROR, NOT_UTF8, INTERNAL = 1002, 1007, 1011
NO_STATUS = 1005
SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n"
)


class Receiver(Protocol):
    """What the handler of such a socket offers."""

    def on_message(self, message: bytes) -> Awaitable[None] | None: ...

    def on_binary(self) -> None: ...

    def on_too_big(self) -> None: ...

    def on_too_slow(self) -> None: ...


class Frames(WebSocketProtocol, asyncio.Protocol):
    """One connection. `send` never waits and never raises."""

    # While the messages of one read are handed on, those to whom something is to be written at its end: what
    # came together goes on together. A write of its own for each would be most of what a message costs.
    _owed: ClassVar[list[Frames] | None] = None

    def __init__(self, handler: Any, *, max_bytes: int, max_waiting: int, ping_seconds: float) -> None:
        super().__init__(handler)
        self._receiver: Any = handler
        self._max_bytes, self._max_waiting, self._ping_seconds = max_bytes, max_waiting, ping_seconds
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        # True while a message (or the opening) is being worked on: nothing further is read.
        self._is_busy = True
        self._parts: bytearray | None = None
        self._out: list[bytes] = []
        self._work: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_quiet = self._is_deaf = False
        self._close_code: int | None = None

    # -- the handshake --

    async def accept_connection(self, handler: WebSocketHandler) -> None:
        key = handler.request.headers.get("Sec-Websocket-Key", "")
        if not handler.request.headers.get("Host") or not _is_key(key):
            handler.set_status(400)
            await handler.finish("The WebSocket handshake is incomplete.")
            return
        handler.set_status(101)
        handler.application.log_request(handler)
        stream = handler.detach()
        if stream.closed():
            return
        # A second descriptor of the same connection: the first is closed with its stream, the connection
        # lives on.
        connection = stream.socket.dup()
        stream.close()
        connection.setblocking(False)
        await asyncio.get_running_loop().connect_accepted_socket(lambda: self, connection)
        if self._transport is not None:
            # Tornado's own way of answering costs 3 % of a whole call.
            self._transport.write(SWITCHING % WebSocketProtocol13.compute_accept_value(key).encode())
        await self._open(handler)

    async def _open(self, handler: WebSocketHandler) -> None:
        try:
            opened = handler.open(*handler.open_args, **handler.open_kwargs)
            if opened is not None:
                await opened
        except Exception:
            handler.log_exception(*sys.exc_info())
            self._fail(INTERNAL, "internal")
        self._go_on()

    # -- the transport's side --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not an isinstance check: uvloop's transports are Transports in all but descent.
        self._transport = cast(asyncio.Transport, transport)
        self._timer = asyncio.get_running_loop().call_later(self._ping_seconds, self._ping)

    def data_received(self, data: bytes) -> None:
        self._is_quiet = False
        if self._is_deaf:
            return
        self._buffer = self._buffer + data if self._buffer else data
        if self._is_busy:
            self._pause()
        else:
            self._take_frames()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        self.client_terminated = self.server_terminated = True
        self._buffer = b""
        if self._timer is not None:
            self._timer.cancel()
        self._transport = None
        self._receiver.on_ws_connection_close(self._close_code, None)

    def _pause(self) -> None:
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def _go_on(self) -> None:
        self._is_busy = False
        if self._transport is None:
            return
        self._take_frames()
        if not self._is_busy and not self._transport.is_reading() and not self._transport.is_closing():
            self._transport.resume_reading()

    # -- frames in --

    def _take_frames(self) -> None:
        """Hands on what is there, and then writes to each what that came to."""
        owed: list[Frames] = []
        Frames._owed = owed
        try:
            self._hand_on()
        finally:
            Frames._owed = None
            for one in owed:
                one._write_out()

    def _hand_on(self) -> None:
        """Every whole frame of the buffer, until one of them needs time."""
        data, at, size = self._buffer, 0, len(self._buffer)
        while size - at >= 6 and not (self._is_busy or self._is_deaf or self.client_terminated):
            second = data[at + 1]
            length, head = second & 0x7F, at + 2
            if length == 126:
                head += 2
                length = int.from_bytes(data[at + 2 : head])
            elif length == 127:
                head += 8
                if size < head:
                    break
                length = int.from_bytes(data[at + 2 : head])
            if second < 0x80:
                self._fail(PROTOCOL_ERROR, "not masked")
                break
            if length > self._max_bytes:
                self._too_big()
                break
            end = head + 4 + length
            if size < end:
                break
            payload = unmask(data[head : head + 4], data[head + 4 : end])
            first, at = data[at], end
            if first == WHOLE_TEXT and self._parts is None:
                self._text(payload)
            else:
                self._other(first, payload)
        self._buffer = b"" if self._is_deaf else data[at:]

    def _text(self, payload: bytes) -> None:
        if self.server_terminated:
            return
        try:
            payload.decode()
            work = self._receiver.on_message(payload)
        except UnicodeDecodeError:
            self._fail(NOT_UTF8, "not UTF-8")
            return
        except Exception:
            self._receiver.log_exception(*sys.exc_info())
            self._fail(INTERNAL, "internal")
            return
        if work is not None:
            self._is_busy = True
            self._work = asyncio.get_running_loop().create_task(self._wait_for(work))

    async def _wait_for(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception:
            self._receiver.log_exception(*sys.exc_info())
            self._fail(INTERNAL, "internal")
        self._work = None
        self._go_on()

    def _other(self, first: int, payload: bytes) -> None:
        """Control frames, fragments, and what is not allowed (RFC 6455 section 5)."""
        opcode, is_final = first & 0x0F, first >= FIN
        if first & 0x70 or (opcode >= CLOSE and (not is_final or len(payload) > 125)):
            self._fail(PROTOCOL_ERROR, "bad frame")
        elif opcode == PING:
            self._write(PONG, payload)
        elif opcode == CLOSE:
            self._closed_by_client(payload)
        elif opcode == BINARY:
            self._receiver.on_binary()
        elif opcode in (0, TEXT):
            self._fragment(opcode, is_final, payload)
        elif opcode != PONG:
            self._fail(PROTOCOL_ERROR, "unknown frame")

    def _fragment(self, opcode: int, is_final: bool, payload: bytes) -> None:
        if (opcode == TEXT) == (self._parts is not None):
            self._fail(PROTOCOL_ERROR, "fragments out of order")
            return
        parts = self._parts = bytearray() if self._parts is None else self._parts
        parts += payload
        if len(parts) > self._max_bytes:
            self._too_big()
        elif is_final:
            self._parts = None
            self._text(bytes(parts))

    def _too_big(self) -> None:
        """What follows cannot be framed any more: it is thrown away until the connection ends."""
        self._is_deaf = True
        self._buffer = b""
        self._receiver.on_too_big()

    def _closed_by_client(self, payload: bytes) -> None:
        self.client_terminated = True
        if len(payload) >= 2:
            self._close_code = struct.unpack(">H", payload[:2])[0]
        self.close(self._close_code)

    # -- frames out --

    def send(self, payload: bytes) -> None:
        """One text message. To a closed connection: nothing happens."""
        if not self.server_terminated:
            self._write(TEXT, payload)

    def _write(self, opcode: int, payload: bytes) -> None:
        transport = self._transport
        if transport is None:
            return
        size = len(payload)
        if size < 126:
            head = bytes((FIN | opcode, size))
        elif size <= 0xFFFF:
            head = struct.pack("!BBH", FIN | opcode, 126, size)
        else:
            head = struct.pack("!BBQ", FIN | opcode, 127, size)
        if Frames._owed is None:
            self._write_now(transport, head + payload)
            return
        if not self._out:
            Frames._owed.append(self)
        self._out += (head, payload)

    def _write_out(self) -> None:
        if self._out and self._transport is not None:
            together = b"".join(self._out)
            self._out.clear()
            self._write_now(self._transport, together)

    def _write_now(self, transport: asyncio.Transport, data: bytes) -> None:
        transport.write(data)
        if transport.get_write_buffer_size() > self._max_waiting and not self.server_terminated:
            self._receiver.on_too_slow()
            self._drop()

    def _ping(self) -> None:
        """Silence for a whole interval after a ping means that nobody is there."""
        if self._is_quiet:
            self._drop()
            return
        self._is_quiet = True
        self._write(PING, b"")
        self._timer = asyncio.get_running_loop().call_later(self._ping_seconds, self._ping)

    # -- the end --

    def _fail(self, code: int, reason: str) -> None:
        self.close(code, reason)

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Says why, waits at most five seconds for the other side to say so too."""
        if not self.server_terminated:
            status = b"" if code in (None, NO_STATUS) else struct.pack(">H", code)
            if status and reason:
                status += reason.encode()[:123]
            # First of all: the goodbye may be what fills the buffer, and must not say goodbye again.
            self.server_terminated = True
            self._write(CLOSE, status)
        if self.client_terminated:
            self._write_out()
            if self._transport is not None:
                self._transport.close()
        elif self._transport is not None:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._drop)
            if not self._transport.is_reading():
                self._transport.resume_reading()

    def _drop(self) -> None:
        """At once, whatever still waits to be sent."""
        self._out.clear()
        if self._transport is not None:
            self._transport.abort()

    def on_connection_close(self) -> None:
        self._drop()

    def is_closing(self) -> bool:
        return self.client_terminated or self.server_terminated

    # -- what the base class asks of every protocol --

    def write_message(
        self, message: str | bytes | dict[str, Any], binary: bool = False
    ) -> asyncio.Future[None]:
        assert isinstance(message, bytes)
        self.send(message)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    @property
    def selected_subprotocol(self) -> str | None:
        return None

    def write_ping(self, data: bytes) -> None:
        self._write(PING, data)

    def set_nodelay(self, x: bool) -> None:
        """asyncio and uvloop set TCP_NODELAY on every connection themselves."""

    def start_pinging(self) -> None:
        """`connection_made` has done so."""

    def _process_server_headers(self, key: str | bytes, headers: Any) -> None:
        raise NotImplementedError("only servers use this protocol")

    async def _receive_frame_loop(self) -> None:
        raise NotImplementedError("only servers use this protocol")


def _is_key(key: str) -> bool:
    """Sixteen bytes in base64 (RFC 6455 section 4.1)."""
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (ValueError, binascii.Error):
        return False
