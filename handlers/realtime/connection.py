"""The sending half of a WebSocket connection, and its end.

Guarantees: after a failure nothing more is read. After our Close frame nothing more is written. At most
`max_waiting` bytes wait to be sent, plus the output caused by one read. An ended connection is closed within
CLOSE_SECONDS.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Protocol, cast

from handlers.realtime.frame_protocol import FrameProtocol, FrameReader, text_frame

CLOSE_SECONDS = 5


class Receiver(Protocol):
    """The handler of a connection."""

    def on_message(self, message: bytes) -> Awaitable[None] | None: ...

    def on_binary(self) -> None: ...

    def on_too_slow(self) -> None: ...

    def is_over_budget(self) -> bool: ...

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None: ...

    def on_ws_connection_close(
        self, close_code: int | None = None, close_reason: str | None = None
    ) -> None: ...


class Output:
    """What one connection sends. What is sent while one read is handled goes out in one write per connection:
    a write is a system call, which would otherwise be most of the cost of a relayed message.

    `on_too_slow` is called when more than `max_waiting` bytes wait for the client after a write.
    """

    # Between `hold` and `release`: the connections with output.
    _held: ClassVar[list[Output] | None] = None

    def __init__(self, max_waiting: int, on_too_slow: Callable[[], None]) -> None:
        self._max_waiting, self._on_too_slow = max_waiting, on_too_slow
        self._transport: asyncio.Transport | None = None
        self._parts: list[bytes] = []

    @classmethod
    def hold(cls) -> None:
        """Collects the output of all connections until `release`."""
        cls._held = []

    @classmethod
    def release(cls) -> None:
        """Writes what was collected, once per connection."""
        held, cls._held = cls._held or (), None
        for one in held:
            one.flush()

    def open(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def close(self) -> None:
        """Drops what is collected; nothing more is written."""
        self._transport = None
        self._parts.clear()

    def write(self, data: bytes) -> None:
        """Sends `data`, now or at `release`. Does nothing without a connection."""
        held = Output._held
        if held is None:
            self._write(data)
        else:
            if not self._parts:
                held.append(self)
            self._parts.append(data)

    def flush(self) -> None:
        """Writes what was collected for this connection."""
        parts = self._parts
        if parts:
            self._parts = []
            self._write(parts[0] if len(parts) == 1 else b"".join(parts))

    def _write(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or not data:
            return
        transport.write(data)
        if transport.get_write_buffer_size() > self._max_waiting:
            self._on_too_slow()


class Keepalive:
    """The timer of a connection: pings while it is open, a time limit while it closes.

    Calls `ping` every `seconds`; calls `drop` if the client completes no frame for a whole interval after
    a ping, and CLOSE_SECONDS after `closing`.
    """

    def __init__(self, seconds: float, ping: Callable[[], None], drop: Callable[[], None]) -> None:
        self._seconds, self._ping, self._drop = seconds, ping, drop
        # True from a ping until the client completes a frame.
        self.is_quiet = False
        self._is_closing = False
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._call(self._seconds, self._look)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def closing(self) -> None:
        """Starts the time limit; the first call counts."""
        if not self._is_closing:
            self._is_closing = True
            self._call(CLOSE_SECONDS, self._drop)

    def _look(self) -> None:
        if self.is_quiet:
            self._drop()
            return
        self.is_quiet = True
        self._call(self._seconds, self._look)
        self._ping()

    def _call(self, seconds: float, work: Callable[[], None]) -> None:
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(seconds, work)


class Connection(asyncio.Protocol):
    """A connection. `send` does not wait and does not raise."""

    def __init__(
        self, receiver: Receiver, *, max_bytes: int, max_waiting: int, ping_seconds: float, too_big: int
    ) -> None:
        self._receiver = receiver
        self._protocol = FrameProtocol(max_bytes, too_big)
        self._reader = FrameReader(self._protocol)
        self._output = Output(max_waiting, self._too_slow)
        self._keepalive = Keepalive(ping_seconds, self.ping, self.drop)
        self._transport: asyncio.Transport | None = None
        # Open: messages may be sent. Closed: our Close frame is sent, and the client's is awaited. Stopped:
        # nothing more is read. Clean: the client's Close frame has arrived.
        self.is_open = self._has_closed = self._has_stopped = self._is_clean = False
        self._close_code: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not an isinstance check: uvloop's transports are Transports in everything but inheritance.
        self._transport = cast(asyncio.Transport, transport)
        self._output.open(self._transport)
        self._keepalive.start()

    def eof_received(self) -> bool:
        """The transport closes itself; pending output gets the usual time."""
        self.is_open = False
        self._keepalive.closing()
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        self.is_open = False
        self._stop()
        self._keepalive.stop()
        self._output.close()
        self._transport = None
        self._receiver.on_ws_connection_close(self._close_code, None)

    # -- output --

    def send(self, payload: bytes) -> None:
        """Sends one text message. Does nothing if the connection is not open."""
        if self.is_open:
            self._output.write(text_frame(payload))

    def ping(self, data: bytes = b"") -> None:
        if self.is_open:
            self._protocol.send_ping(data)
            self._output.write(b"".join(self._protocol.data_to_send()))

    def _too_slow(self) -> None:
        if self.is_open:
            self._receiver.on_too_slow()

    # -- the end --

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Sends our Close frame; the client has CLOSE_SECONDS to answer it."""
        if not self.is_open:
            return
        self.is_open, self._has_closed = False, True
        # Later messages of the client are not handled.
        self._reader.forget_frames()
        self._protocol.send_close(code, reason)
        self._output.write(b"".join(self._protocol.data_to_send()))
        self._output.flush()
        self._keepalive.closing()

    def fail(self, code: int, reason: str) -> None:
        """Sends our Close frame, unless one was sent, and stops reading (RFC 6455, 7.1.7)."""
        if self._has_stopped:
            return
        self._protocol.fail(code, reason)
        self._finish([*self._reader.farewell, *self._protocol.data_to_send()])

    def _finish(self, written: list[bytes]) -> None:
        """Stops reading. After both Close frames the connection closes when all is written. Otherwise it is
        half-closed: closing it with unread input would destroy what the client has not read yet.
        """
        self.is_open = False
        self._stop()
        self._keepalive.closing()
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._output.write(b"".join(written))
        self._output.flush()
        if self._is_clean:
            transport.close()
        else:
            with contextlib.suppress(OSError):  # The client is gone already.
                transport.write_eof()

    def _stop(self) -> None:
        self._has_stopped = True
        self._reader.clear()
        self._pause()

    def _pause(self) -> None:
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def drop(self) -> None:
        """Closes at once; pending output is lost."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()
