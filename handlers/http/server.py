"""The HTTP server, with time limits for slow clients.

Tornado limits the idle time of a connection and the time of a body. This server also limits the head of a
request, the connections of one address that have not sent their first head, and the reading of an answer.

Guarantees: a head is complete `head_seconds` after the connection opened (on a kept-alive connection: after
its first byte), or the connection is closed, with 408 if part of the head has arrived. A head over 64 KiB is
answered by 431, any other malformed request by 400. A client that closes its sending side after a request
gets the answer. If an address has more than `most_pending` connections without a first head, its oldest is
closed; those of trusted proxies are not counted. A client that takes less than SLOWEST_BYTES in
`answer_seconds` is disconnected.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from asyncio import Future
from collections.abc import Awaitable, Iterable
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream, UnsatisfiableReadError

from handlers.http.listening import Listener
from handlers.http.misconfigurations import Misconfigurations
from handlers.http.request import (
    address_of,
    is_trusted,
    join_cookies,
    lower_content_type,
    normal_start,
    settle_expectation,
)
from models.security.addresses import subject_of
from models.settings.networks import IpNetwork

HEAD_SECONDS, ANSWER_SECONDS = 15.0, 60.0
IDLE_SECONDS, BODY_SECONDS = 75, 60
MOST_PENDING = 256
SLOWEST_BYTES = 16 * 1024
LAST = b"Connection: close\r\nContent-Length: "
TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\n" + LAST + b"0\r\n\r\n"
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\n" + LAST + b"0\r\n\r\n"
PROBLEM = b'{"error":{"code":"bad_request","message":"That request could not be read."}}'
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json; charset=UTF-8\r\n" + LAST
BAD_REQUEST += b"%d\r\n\r\n" % len(PROBLEM) + PROBLEM
TORNADO_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\n\r\n"
INTERIM = b"HTTP/1.1 100 "


class TimedStream(IOStream):
    """A connection that closes itself if its client is too slow."""

    def __init__(self, server: SiteServer, address: str, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._server, self.address = server, address
        self._awaits_head, self._head_bytes, self._taken = True, 0, 0
        self._has_answered = False
        self._answer_timer: asyncio.TimerHandle | None = None
        self._head_timer = self._later(server.head_seconds, self._head_is_late)

    def _later(self, seconds: float, work: Any) -> asyncio.TimerHandle | None:
        return asyncio.get_running_loop().call_later(seconds, work)

    # -- the head --

    def await_head(self) -> None:
        """Called before each request of the connection; the time runs from the first byte."""
        self._awaits_head, self._head_bytes = True, 0
        self._has_answered = False

    def head_is_complete(self) -> None:
        self._awaits_head = False
        self._server.forget_pending(self.address, self)
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        size = super().read_from_fd(buf)
        del buf  # The base class wants no reference to it left in a traceback.
        if size == 0 and not self.reading():
            self._stop_reading()
            return None
        if size and self._awaits_head:
            self._head_bytes += size
            if self._head_timer is None:
                self._head_timer = self._later(self._server.head_seconds, self._head_is_late)
        return size

    def _stop_reading(self) -> None:
        """The client has sent its last byte, but may wait for an answer. The next read reports the end; until
        then, it would be an event of every round of the loop.
        """
        self.io_loop.update_handler(self.fileno(), IOLoop.WRITE if self.writing() else IOLoop.NONE)

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self._head_bytes and not self.closed():
            self.write(TIMEOUT)
        self._awaits_head = False
        self.close()

    # -- the answer --

    def write(self, data: bytes | memoryview) -> Future[None]:
        """Tornado's own 400 gets a body. After an answer it is left out: a client would take it for that to
        the next request.
        """
        if data == TORNADO_BAD_REQUEST:
            data = b"" if self._has_answered else BAD_REQUEST
        self._has_answered = self._has_answered or not bytes(data[:13]).startswith(INTERIM)
        return super().write(data)

    def write_to_fd(self, data: memoryview) -> int:
        try:
            size = super().write_to_fd(data)
        except BlockingIOError:
            if self._answer_timer is None:
                self._watch_reader()
            raise
        finally:
            del data
        self._taken += size
        return size

    def _watch_reader(self) -> None:
        self._taken = 0
        self._answer_timer = self._later(self._server.answer_seconds, self._check_reader)

    def _check_reader(self) -> None:
        self._answer_timer = None
        if self.writing() and self._taken < SLOWEST_BYTES:
            self.close()
        elif self.writing():
            self._watch_reader()

    def close_fd(self) -> None:
        self._server.forget(self.address, self)
        for timer in (self._head_timer, self._answer_timer):
            if timer is not None:
                timer.cancel()
        if isinstance(self.error, UnsatisfiableReadError) and not self._has_answered:
            # Tornado has given up on it, and closes it silently.
            with contextlib.suppress(OSError):
                self.socket.send(TOO_LARGE if self._awaits_head else BAD_REQUEST)
        super().close_fd()


class SiteServer(HTTPServer):
    """`trusted` are the networks of proxies, which may have many connections."""

    head_seconds, answer_seconds, most_pending = HEAD_SECONDS, ANSWER_SECONDS, MOST_PENDING

    def initialize(self, *arguments: Any, trusted: tuple[IpNetwork, ...] = (), **options: Any) -> None:
        options |= {"idle_connection_timeout": IDLE_SECONDS, "body_timeout": BODY_SECONDS}
        super().initialize(*arguments, **options)
        self._trusted = trusted
        self._misconfigurations: Misconfigurations | None = getattr(arguments[0], "misconfigurations", None)
        self.streams: set[TimedStream] = set()
        # By address, oldest first.
        self._pending: dict[str, dict[TimedStream, None]] = {}

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        super().add_sockets([Listener(one.detach(), self._note_full) for one in sockets])

    def _note_full(self) -> None:
        if self._misconfigurations is not None:
            self._misconfigurations.note("files")

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Wraps the accepted connection in a stream with time limits; nothing has been read from the original
        stream.
        """
        place = str(address[0]) if address else ""
        sizes = {"max_buffer_size": stream.max_buffer_size, "read_chunk_size": stream.read_chunk_size}
        timed = TimedStream(self, subject_of(place), stream.socket, **sizes)
        self.streams.add(timed)
        peer = address_of(place)
        if peer is None or not is_trusted(peer, self._trusted):
            self._add_pending(timed.address, timed)
        super().handle_stream(timed, address)

    def _add_pending(self, address: str, stream: TimedStream) -> None:
        pending = self._pending.setdefault(address, {})
        pending[stream] = None
        if len(pending) > self.most_pending:
            next(iter(pending)).close()

    def forget_pending(self, address: str, stream: TimedStream) -> None:
        pending = self._pending.get(address, {})
        pending.pop(stream, None)
        if not pending:
            self._pending.pop(address, None)

    def forget(self, address: str, stream: TimedStream) -> None:
        self.streams.discard(stream)
        self.forget_pending(address, stream)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        delegate = super().start_request(server_conn, request_conn)
        stream = getattr(server_conn, "stream", None)
        if not isinstance(stream, TimedStream):
            return delegate
        stream.await_head()
        return _Message(delegate, stream)


class _Message(HTTPMessageDelegate):
    """A request in its usual form; notifies the stream when its head is complete."""

    def __init__(self, delegate: HTTPMessageDelegate, stream: TimedStream) -> None:
        self._delegate, self._stream = delegate, stream

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self._stream.head_is_complete()
        assert isinstance(start_line, RequestStartLine)
        settle_expectation(start_line, headers)
        join_cookies(headers)
        lower_content_type(headers)
        return self._delegate.headers_received(normal_start(start_line, headers), headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        self._delegate.finish()

    def on_connection_close(self) -> None:
        self._delegate.on_connection_close()
