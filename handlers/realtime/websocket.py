"""WebSocket connections (RFC 6455): complete text messages in and out, on an asyncio transport.

The library `websockets` parses and serializes frames (`ServerProtocol`, which does no I/O). This module takes
the accepted connection over from Tornado, feeds the library in small pieces, and limits what one client can
cost. If a handler returns an awaitable, reading pauses until it is done: messages stay in order, and a slow
command cannot pile up memory. See docs/decisions/whole-frames.md.

Guarantees: every frame counts against the handler's budget. After a failure nothing more is read or parsed.
After our Close frame nothing more is written. At most `max_waiting` bytes wait to be sent, plus the output
caused by one read. An ended connection is closed within CLOSE_SECONDS.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Awaitable, Iterator
from typing import Any, ClassVar, Protocol, cast

from tornado.httputil import HTTPServerRequest
from tornado.iostream import IOStream
from tornado.websocket import WebSocketHandler, WebSocketProtocol
from websockets.datastructures import Headers
from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

# The library logs every opening as INFO.
LIBRARY = logging.getLogger("websockets.server")
LIBRARY.setLevel(logging.WARNING)
CLOSE_SECONDS = 5
# 4 KiB of the smallest frames take a few milliseconds; the budget is checked in between.
PIECE = 4096
# A client may send frames before it has seen the 101 (they wait behind the request's head).
MOST_EARLY = 256 * 1024
LONGEST_REASON = 123
NOT_UTF8, INTERNAL = 1007, 1011
BINARY, CLOSE, CONT, PING = Opcode.BINARY, Opcode.CLOSE, Opcode.CONT, Opcode.PING
PONG, TEXT = Opcode.PONG, Opcode.TEXT
HANDSHAKE = ("Connection", "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version")


class Receiver(Protocol):
    """The interface of the handler of a connection."""

    def on_message(self, message: bytes) -> Awaitable[None] | None: ...

    def on_binary(self) -> None: ...

    def on_too_slow(self) -> None: ...

    def is_over_budget(self) -> bool: ...


class Rfc6455(ServerProtocol):
    """The protocol without extensions. Malformed frames fail with 1002, too long messages with our own
    code.
    """

    def __init__(self, max_bytes: int, too_big: int) -> None:
        super().__init__(state=State.OPEN, max_size=max_bytes, logger=LIBRARY)
        self._too_big = too_big

    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        if code == CloseCode.MESSAGE_TOO_BIG:
            code, reason = self._too_big, "too big"
        super().fail(code, reason)


class Frames(WebSocketProtocol, asyncio.Protocol):
    """A connection. `send` does not wait and does not raise."""

    # While the messages of one read are handled: the connections with output. Each gets one write at the end
    # of the read; a write per message would be most of its cost.
    _owed: ClassVar[list[Frames] | None] = None

    def __init__(
        self, handler: Any, *, max_bytes: int, max_waiting: int, ping_seconds: float, too_big: int
    ) -> None:
        super().__init__(handler)
        self._receiver: Any = handler
        self._max_waiting, self._ping_seconds = max_waiting, ping_seconds
        self._protocol = Rfc6455(max_bytes, too_big)
        self._transport: asyncio.Transport | None = None
        # The data received, parsed up to `_at`; then the parsed frames that have not been handled yet, last
        # first.
        self._unread, self._at = b"", 0
        self._frames: list[Frame] = []
        self._parts: bytearray | None = None
        # True while a message (or the opening) is being handled: nothing more is parsed until then.
        self._is_busy = True
        # Open: messages may be sent. Stopped: nothing more is read.
        self._is_open = self._has_stopped = self._is_clean = False
        self._is_owed = self._is_quiet = self._has_deadline = False
        self._left_after_close = max_waiting
        self._farewell: list[bytes] = []
        self._work: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._close_code: int | None = None

    # -- the handshake --

    async def accept_connection(self, handler: WebSocketHandler) -> None:
        handshake = ServerProtocol(logger=LIBRARY)
        response = handshake.accept(_handshake_of(handler.request))
        if response.status_code != 101 or not handler.request.headers.get("Host"):
            handler.set_status(400)
            await handler.finish("The WebSocket handshake is incomplete.")
            return
        handler.set_status(101)
        handler.application.log_request(handler)
        handshake.send_response(response)
        await self._take_over(handler.detach(), b"".join(handshake.data_to_send()))
        await self._open(handler)

    async def _take_over(self, stream: IOStream, answer: bytes) -> None:
        """A duplicated descriptor of the connection replaces the stream, which closes the original."""
        if stream.closed():
            return
        self._unread = _received_early(stream)
        if stream.closed():  # that read has found the end of the connection
            return
        connection = stream.socket.dup()
        stream.close()
        connection.setblocking(False)
        await asyncio.get_running_loop().connect_accepted_socket(lambda: self, connection)
        if self._transport is not None:
            self._transport.write(answer)
            self._is_open = True

    async def _open(self, handler: WebSocketHandler) -> None:
        with self._told_of_faults():
            opened = handler.open(*handler.open_args, **handler.open_kwargs)
            if opened is not None:
                await opened
        self._go_on()

    # -- the transport's side --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not an isinstance check: uvloop's transports are Transports in everything but inheritance.
        self._transport = cast(asyncio.Transport, transport)
        self._timer = asyncio.get_running_loop().call_later(self._ping_seconds, self._ping)

    def data_received(self, data: bytes) -> None:
        if self._has_stopped:
            return
        self._unread = self._unread[self._at :] + data if self._unread else data
        self._at = 0
        if self._is_busy:
            self._pause()
        else:
            self._take_frames()

    def eof_received(self) -> bool:
        """The transport closes itself; pending output gets the usual time."""
        self._is_open = False
        self._set_deadline()
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        self._is_open = False
        self._stop()
        if self._timer is not None:
            self._timer.cancel()
        self._transport = None
        self._receiver.on_ws_connection_close(self._close_code, None)

    def _pause(self) -> None:
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def _go_on(self) -> None:
        self._is_busy = False
        self._take_frames()
        transport = self._transport
        if transport is None or self._is_busy or self._has_stopped:
            return
        if not transport.is_reading() and not transport.is_closing():
            transport.resume_reading()

    # -- frames in --

    def _take_frames(self) -> None:
        """Handles what has been read, then writes once to each connection with output."""
        owed: list[Frames] = []
        Frames._owed = owed
        try:
            self._handle_all()
        finally:
            Frames._owed = None
            for one in owed:
                one._write_out()

    def _handle_all(self) -> None:
        """Handles frames and pieces in turn, until a message needs time or nothing is left."""
        while not (self._is_busy or self._has_stopped):
            if self._frames:
                self._handle(self._frames.pop())
            elif self._farewell:
                self._finish(self._farewell)
            elif self._unread:
                self._parse(self._next_piece())
            else:
                return

    def _next_piece(self) -> bytes:
        begin, self._at = self._at, self._at + PIECE
        piece = self._unread[begin : self._at]
        if self._at >= len(self._unread):
            self._unread, self._at = b"", 0
        return piece

    def _parse(self, piece: bytes) -> None:
        """Parses the next piece. After a Close frame or a failure, the answer waits until the earlier frames
        have been handled.
        """
        protocol = self._protocol
        protocol.receive_data(piece)
        frames = cast("list[Frame]", protocol.events_received())
        if frames:
            self._is_quiet = False
        if not self._is_open:
            self._discard(frames, len(piece))
            return
        frames.reverse()
        self._frames = frames
        if protocol.close_expected():
            self._is_open = False
            self._farewell = protocol.data_to_send()

    def _discard(self, frames: list[Frame], size: int) -> None:
        """After our Close frame: only the client's Close frame matters, and little is read until it
        arrives.
        """
        self._left_after_close -= size
        written = self._protocol.data_to_send()  # PONGs, followed by an empty item.
        self._is_clean = any(frame.opcode is CLOSE for frame in frames)
        is_over = self._left_after_close < 0 or any(self._receiver.is_over_budget() for _ in frames)
        if is_over or (written and not written[-1]):
            self._finish([])

    def _handle(self, frame: Frame) -> None:
        """Handles a frame. A whole message counts against the budget in `on_message`, every other frame
        here.
        """
        opcode, payload = frame.opcode, bytes(frame.data)
        if opcode is TEXT and frame.fin:
            self._text(payload)
        elif opcode is CLOSE:
            self._is_clean, self._close_code = True, Close.parse(payload).code
        elif opcode is CONT and frame.fin and self._parts is not None:
            whole, self._parts = bytes(self._parts + payload), None
            self._text(whole)
        elif not self._receiver.is_over_budget():
            self._other(opcode, payload)

    def _other(self, opcode: Opcode, payload: bytes) -> None:
        if opcode is PING:
            self._write()  # The library has made the PONG.
        elif opcode is BINARY:
            self._receiver.on_binary()
        elif opcode is not PONG:
            self._parts = bytearray() if self._parts is None else self._parts
            self._parts += payload

    def _text(self, payload: bytes) -> None:
        try:
            payload.decode()
            work = self._receiver.on_message(payload)
        except UnicodeDecodeError:
            self.fail(NOT_UTF8, "not UTF-8")
            return
        except Exception:
            self._receiver.log_exception(*sys.exc_info())
            self.fail(INTERNAL, "internal")
            return
        if work is not None:
            self._is_busy = True
            self._work = asyncio.get_running_loop().create_task(self._wait_for(work))

    async def _wait_for(self, work: Awaitable[None]) -> None:
        with self._told_of_faults():
            await work
        self._work = None
        self._go_on()

    @contextlib.contextmanager
    def _told_of_faults(self) -> Iterator[None]:
        """A fault of the handler is logged and ends the connection. A cancelled future that the handler has
        waited for is a fault too; a cancellation of this task itself passes.
        """
        try:
            yield
        except (Exception, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise
            self._receiver.log_exception(*sys.exc_info())
            self.fail(INTERNAL, "internal")

    # -- frames out --

    def send(self, payload: bytes) -> None:
        """Sends one text message. Does nothing if the connection is not open."""
        if self._is_open:
            self._protocol.send_text(payload)
            self._write()

    def _write(self) -> None:
        """Writes the library's output: now, or together with the other output of this read."""
        if Frames._owed is None:
            self._write_out()
        elif not self._is_owed:
            self._is_owed = True
            Frames._owed.append(self)

    def _write_out(self) -> None:
        self._is_owed = False
        written, transport = self._protocol.data_to_send(), self._transport
        if transport is None or not written:
            return
        transport.write(written[0] if len(written) == 1 else b"".join(written))
        if self._is_open and transport.get_write_buffer_size() > self._max_waiting:
            self._receiver.on_too_slow()

    def _ping(self) -> None:
        """Closes the connection if the client completes no frame for a whole interval after a ping."""
        if self._is_quiet:
            self._drop()
            return
        self._is_quiet = True
        self.write_ping(b"")
        self._timer = asyncio.get_running_loop().call_later(self._ping_seconds, self._ping)

    # -- the end --

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Sends our Close frame; the client has CLOSE_SECONDS to answer it."""
        if not self._is_open:
            return
        self._is_open = False
        # Later messages of the client are not handled.
        self._frames, self._parts = [], None
        self._protocol.send_close(code, _short(reason))
        self._write_out()
        self._set_deadline()

    def fail(self, code: int, reason: str) -> None:
        """Sends our Close frame, unless one was sent, and stops reading (RFC 6455, 7.1.7)."""
        if self._has_stopped:
            return
        self._is_open = False
        self._protocol.fail(code, _short(reason))
        self._finish([*self._farewell, *self._protocol.data_to_send()])

    def _finish(self, written: list[bytes]) -> None:
        """Stops reading. After both Close frames the connection closes when all is written. Otherwise it is
        half-closed: closing it with unread input would destroy what the client has not read yet.
        """
        self._is_open = False
        self._stop()
        self._set_deadline()
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if any(written):
            transport.write(b"".join(written))
        if self._is_clean:
            transport.close()
        else:
            with contextlib.suppress(OSError):  # The client is gone already.
                transport.write_eof()

    def _stop(self) -> None:
        self._has_stopped = True
        self._unread, self._parts = b"", None
        self._frames = []
        self._pause()

    def _set_deadline(self) -> None:
        if self._has_deadline or self._transport is None:
            return
        self._has_deadline = True
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._drop)

    def _drop(self) -> None:
        """Closes at once; pending output is lost."""
        self._is_open = False
        if self._transport is not None:
            self._transport.abort()

    def on_connection_close(self) -> None:
        self._drop()

    def is_closing(self) -> bool:
        return not self._is_open

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
        if self._is_open:
            self._protocol.send_ping(data)
            self._write()

    def set_nodelay(self, x: bool) -> None:
        """asyncio and uvloop set TCP_NODELAY on every connection themselves."""

    def start_pinging(self) -> None:
        """Done by `connection_made`."""

    def _process_server_headers(self, key: str | bytes, headers: Any) -> None:
        raise NotImplementedError("only servers use this protocol")

    async def _receive_frame_loop(self) -> None:
        raise NotImplementedError("only servers use this protocol")


def _handshake_of(request: HTTPServerRequest) -> Request:
    """The part of the request that the library checks; Tornado has checked the rest."""
    headers = Headers()
    for name in HANDSHAKE:
        for value in request.headers.get_list(name):
            headers[name] = value
    return Request(request.uri or "/", headers, request.method or "", request.version)


def _received_early(stream: IOStream) -> bytes:
    """Frames that arrived together with the request's head."""
    early = asyncio.ensure_future(stream.read_bytes(MOST_EARLY, partial=True))
    return early.result() if early.done() and early.exception() is None else b""


def _short(reason: str | None) -> str:
    """Truncates a text to fit a Close frame, never inside a character."""
    return (reason or "").encode()[:LONGEST_REASON].decode(errors="ignore")
