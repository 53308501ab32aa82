"""Request bodies: limits of size and memory, and early answers that reach the client.

Tornado closes a connection when it answers before the whole body has arrived, and a close with unread bytes
resets the connection: a browser then shows a network error instead of the answer. Here the answer is written
at once, and the rest of the body is read and dropped, up to 128 MB and 60 s, before the connection is closed.

A body that no handler streams is limited to 1 MiB (`Site`). All bodies above 64 KiB together are limited to
64 MiB: beyond that, the oldest of them is cut off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from tornado.http1connection import HTTP1Connection
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    ParseBodyConfig,
    ParseMultipartConfig,
    RequestStartLine,
    ResponseStartLine,
    set_parse_body_config,
)
from tornado.web import Application

from models.errors import Problem, TooLarge

MOST_BODY = 1024 * 1024
MOST_DRAINED, DRAIN_SECONDS = 128 * 1024 * 1024, 60.0
SMALL_BODY, MOST_HELD = 64 * 1024, 64 * 1024 * 1024
# Tornado would close the connection without an answer.
UNLIMITED = 2**62
TOO_LARGE = "That is too large: a request may have 1 MB at most."
Start = Callable[[Any], HTTPMessageDelegate]
# Forms that are not uploads are parsed in the event loop: at Tornado's own limits that takes up to 0.6 s.
MOST_PARTS, MOST_PART_HEADER = 50, 1024
set_parse_body_config(
    ParseBodyConfig(ParseMultipartConfig(max_parts=MOST_PARTS, max_part_header_size=MOST_PART_HEADER))
)


class Bodies:
    """The request bodies that this process is receiving."""

    def __init__(self) -> None:
        self._held: dict[Body, int] = {}

    def receive(self, start: Start, connection: Any) -> HTTPMessageDelegate:
        """Accepts a request; `start` creates the application's own delegate for a connection."""
        return Body(self, start, connection)

    def hold(self, body: Body, size: int) -> None:
        """Makes room for a body with `size` bytes in memory."""
        if size > SMALL_BODY:
            self._held[body] = size
        while sum(self._held.values()) > MOST_HELD:
            next(iter(self._held)).cut_off()

    def release(self, body: Body) -> None:
        self._held.pop(body, None)


class BodyApplication(Application):
    """An application that receives its request bodies through `Bodies`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.bodies = Bodies()
        super().__init__(*args, **kwargs)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        return self.bodies.receive(partial(super().start_request, server_conn), request_conn)


class LingeringConnection(HTTPConnection):
    """A connection that ends a request only when its body has been read or its limits are reached."""

    def __init__(self, connection: HTTP1Connection) -> None:
        self._connection = connection
        self.is_read = self.is_answered = False
        # Why the application must not read the body.
        self.refusal: Problem | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def set_max_body_size(self, size: int) -> None:
        """Handlers count the bytes and answer."""

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> asyncio.Future[None]:
        return self._connection.write_headers(start_line, headers, chunk)

    def write(self, chunk: bytes) -> asyncio.Future[None]:
        return self._connection.write(chunk)

    def finish(self) -> None:
        """Called when the answer is complete."""
        self.is_answered = True
        if self.is_read:
            self._connection.finish()
        else:
            asyncio.get_running_loop().call_later(DRAIN_SECONDS, self.end)

    def end(self) -> None:
        """Stops reading the body. May be called twice."""
        if self.is_answered and not self.is_read:
            self.is_read = True
            self._connection.finish()


class Body(HTTPMessageDelegate):
    """A request whose body is being received."""

    def __init__(self, bodies: Bodies, start: Start, connection: HTTP1Connection) -> None:
        self._bodies, self._start, self._connection = bodies, start, connection
        self._application: HTTPMessageDelegate | None = None
        self._lingering: LingeringConnection | None = None
        self._headers = HTTPHeaders()
        self._received, self._is_streamed, self._is_handed_on = 0, False, False

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        if not has_body(headers):
            self._application = self._start(self._connection)
            return self._application.headers_received(start_line, headers)
        self._headers, self._lingering = headers, LingeringConnection(self._connection)
        self._connection.set_max_body_size(UNLIMITED)
        self._application = self._start(self._lingering)
        is_over = length_of(headers) > MOST_BODY
        waits = self._application.headers_received(start_line, headers)
        self._is_streamed = waits is not None
        if is_over and not self._is_streamed:
            self._refuse()
        return waits

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        assert self._application is not None
        self._received += len(chunk)
        if self._lingering is not None and self._received > MOST_DRAINED:
            self._lingering.end()
        if self._is_handed_on or (self._lingering is not None and self._lingering.is_answered):
            return None
        if self._is_streamed:
            return self._application.data_received(chunk)
        if self._received > MOST_BODY:
            self._refuse()
            return None
        self._bodies.hold(self, self._received)
        return self._application.data_received(chunk)

    def finish(self) -> None:
        assert self._application is not None
        self._bodies.release(self)
        if self._lingering is not None:
            if self._lingering.is_answered:
                self._lingering.end()
                return
            self._lingering.is_read = True
        if not self._is_handed_on:
            self._application.finish()

    def on_connection_close(self) -> None:
        self._bodies.release(self)
        if self._lingering is not None:
            self._lingering.is_read = True
        if self._application is not None:
            self._application.on_connection_close()

    def cut_off(self) -> None:
        self._bodies.release(self)
        self._connection.close()

    def _refuse(self) -> None:
        """Lets the application answer without the body, while the rest of it is dropped."""
        assert self._application is not None
        assert self._lingering is not None
        self._bodies.release(self)
        self._is_handed_on = True
        self._lingering.refusal = TooLarge(TOO_LARGE)
        if self._headers.get("Content-Type", "").lower().startswith("multipart/"):
            # Half a form would be rejected as malformed.
            self._headers["Content-Type"] = "application/octet-stream"
        self._application.finish()


def refuse_unread(request: HTTPServerRequest) -> None:
    """Raises: TooLarge, if the request's body was too long to be read."""
    refusal = getattr(request.connection, "refusal", None)
    if isinstance(refusal, Problem):
        raise refusal


def has_body(headers: HTTPHeaders) -> bool:
    return "Transfer-Encoding" in headers or headers.get("Content-Length", "0") != "0"


def length_of(headers: HTTPHeaders) -> int:
    """The announced length; 0 if it is missing or not a number, which the server rejects."""
    length = headers.get("Content-Length", "0")
    return int(length[-18:]) if length.isdecimal() else 0
