"""WebSocket connections (RFC 6455) on an asyncio transport: complete text messages, in order.

Each frame counts against the handler's budget. If a handler returns an awaitable, reading pauses until it is
done: messages stay in order, and a slow command cannot pile up memory. Output of one read goes out in one
write per connection. See docs/decisions/web/whole-frames.md.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from handlers.realtime.connection import Connection, Output, Receiver
from handlers.realtime.frame_protocol import (
    BINARY,
    CLOSE,
    CONT,
    INTERNAL,
    NOT_UTF8,
    PING,
    PONG,
    TEXT,
    Frame,
    close_code_of,
)


class WebSocketConnection(Connection):
    """A connection with its receiving half. Frames are handled after `start`."""

    def __init__(
        self, receiver: Receiver, *, max_bytes: int, max_waiting: int, ping_seconds: float, too_big: int
    ) -> None:
        super().__init__(
            receiver,
            max_bytes=max_bytes,
            max_waiting=max_waiting,
            ping_seconds=ping_seconds,
            too_big=too_big,
        )
        # The fragments of an unfinished message.
        self._parts: bytearray | None = None
        # True while a message (or the opening) is being handled: nothing more is parsed until then.
        self._is_busy = True
        self._left_after_close = max_waiting
        self._work: asyncio.Task[None] | None = None

    async def start(self, answer: bytes, opening: Callable[[], Awaitable[None] | None]) -> None:
        """Sends `answer`, the end of the handshake, and handles frames after `opening`."""
        if self._transport is not None:
            self._transport.write(answer)
            self.is_open = True
        await self._wait_for(_opened(opening))

    def feed(self, data: bytes) -> None:
        """Stores data that was received before the connection was taken over."""
        self._reader.feed(data)

    def data_received(self, data: bytes) -> None:
        if self._has_stopped:
            return
        self._reader.feed(data)
        if self._has_closed and not self._may_read_on(len(data)):
            return
        if self._is_busy:
            self._pause()
        else:
            self._handle_frames()

    def _may_read_on(self, size: int) -> bool:
        """After our Close frame, little is read until the client's Close frame arrives."""
        self._left_after_close -= size
        if self._left_after_close < 0:
            self._finish([])
        return not self._has_stopped

    def _go_on(self) -> None:
        self._is_busy = False
        if not self._reader.is_empty:
            self._handle_frames()
        transport = self._transport
        if transport is None or self._is_busy or self._has_stopped:
            return
        if not transport.is_reading() and not transport.is_closing():
            transport.resume_reading()

    def _handle_frames(self) -> None:
        """Handles the frames received, until a message needs time; then writes once to each connection with
        output.
        """
        reader = self._reader
        Output.hold()
        try:
            while not (self._is_busy or self._has_stopped):
                frame = reader.next()
                if reader.farewell:
                    # The last frames before the client's Close frame are handled, but not answered.
                    self.is_open = False
                if type(frame) is bytes and not self._has_closed:
                    self._keepalive.is_quiet = False
                    self._message(frame)
                elif frame is not None:
                    self._handle(frame if isinstance(frame, Frame) else Frame(TEXT, frame))
                elif reader.farewell:
                    self._finish(reader.farewell)
                else:
                    return
        finally:
            Output.release()

    def _handle(self, frame: Frame) -> None:
        """Handles a frame. A whole message counts against the budget in `on_message`, every other frame
        here.
        """
        self._keepalive.is_quiet = False
        opcode, payload = frame.opcode, bytes(frame.data)
        if opcode is CLOSE:
            self._is_clean = True
            self._close_code = self._close_code or close_code_of(payload)
        elif self._has_closed:
            self._receiver.is_over_budget()
        elif opcode is TEXT and frame.fin:
            self._message(payload)
        elif opcode is CONT and frame.fin and self._parts is not None:
            whole, self._parts = bytes(self._parts + payload), None
            self._message(whole)
        elif not self._receiver.is_over_budget():
            if opcode is PING:
                self._answer_pings()
            elif opcode is BINARY:
                self._receiver.on_binary()
            elif opcode is not PONG:
                self._parts = bytearray() if self._parts is None else self._parts
                self._parts += payload

    def _answer_pings(self) -> None:
        if self.is_open:
            self._output.write(b"".join(self._reader.answers()))

    def _message(self, payload: bytes) -> None:
        try:
            payload.decode()
            work = self._receiver.on_message(payload)
        except UnicodeDecodeError:
            self.fail(NOT_UTF8, "not UTF-8")
        except Exception:
            self._receiver.log_exception(*sys.exc_info())
            self.fail(INTERNAL, "internal")
        else:
            if work is not None:
                self._is_busy = True
                self._work = asyncio.get_running_loop().create_task(self._wait_for(work))

    async def _wait_for(self, work: Awaitable[None]) -> None:
        """A fault of the handler is logged and ends the connection. A cancelled future that the handler has
        waited for is a fault too; a cancellation of this task itself passes.
        """
        try:
            await work
        except (Exception, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise
            self._receiver.log_exception(*sys.exc_info())
            self.fail(INTERNAL, "internal")
        self._work = None
        self._go_on()


async def _opened(opening: Callable[[], Awaitable[None] | None]) -> None:
    work = opening()
    if work is not None:
        await work
