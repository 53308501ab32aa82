"""The base of both sockets: Origin, sign-in, size, budget, and errors as frames.

A foreign Origin gets no 101, and neither does a cookie without an Origin (RFC 6455 section 10.2: a browser
always sends one). All other errors are reported after the upgrade, by close code, so that a page's script can
read them.
"""

from __future__ import annotations

import logging
import time
from asyncio import Future
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketHandler, WebSocketProtocol

from handlers.base.application import Site
from handlers.http import origins
from handlers.http.bodies import refuse_unread
from handlers.http.problems import as_problem, is_our_fault
from handlers.http.request import bearer_of, client_address
from handlers.realtime import close_codes
from handlers.realtime.takeover import Takeover
from handlers.realtime.websocket import WebSocketConnection
from models import messages
from models.errors import BadRequest, Banned, NotAllowed, NotSignedIn, Problem
from models.ids import new_id
from models.messages import ErrorMessage, JsonStruct
from models.safety.ban_notices import BanNotice
from models.security.member import Member

logger = logging.getLogger(__name__)
MOST_BYTES = 64 * 1024
MOST_WAITING_BYTES = 1024 * 1024
PING_SECONDS = 20
MOST_FAULTS = 20
HANDSHAKE_HEADERS = ("Server", "Content-Type", "Date")


class Budget:
    """A token bucket: `rate` messages a second, four seconds' worth at once."""

    def __init__(self, rate: int) -> None:
        self._rate, self._most = rate, rate * 4.0
        self._left = self._most
        self._at = time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        left = self._left + (now - self._at) * self._rate
        self._left, self._at = left if left < self._most else self._most, now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class BaseSocket(WebSocketHandler):
    application: Site

    def initialize(self) -> None:
        self.models = self.application.models
        self.hub = self.application.hub
        self.id = new_id()
        self.member: Member | None = None
        self.refusal: Banned | None = None
        self.budget = Budget(self.messages_per_second)
        self._faults = 0
        self._connection: WebSocketConnection | None = None

    @property
    def messages_per_second(self) -> int:
        raise NotImplementedError

    @property
    def user_id(self) -> str:
        return self.member.user_id if self.member else ""

    @property
    def address(self) -> str:
        return client_address(self.request, self.application.config.trusted_proxies)

    @property
    def session_id(self) -> str:
        return self.member.session_id if self.member else ""

    @property
    def token(self) -> str | None:
        """The Bearer token if that scheme is used, even without a token; otherwise the cookie's."""
        bearer = bearer_of(self.request)
        return bearer if bearer is not None else self.get_cookie(self.application.session_cookie)

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """Every answer except the 101."""
        for name, value in self.application.security_headers.items():
            self.set_header(name, value)
        return super().finish(chunk)

    def check_origin(self, origin: str) -> bool:
        return origins.is_accepted(origin, self.application.config)

    def check_xsrf_cookie(self) -> None:
        """A socket is opened by GET alone; any other method is 405."""

    async def prepare(self) -> None:
        refuse_unread(self.request)
        config, misconfigurations = self.application.config, self.application.misconfigurations
        misconfigurations.watch(self.request, config)
        if "Upgrade" not in self.request.headers and self._is_of_a_browser():
            misconfigurations.note("upgrade")
        origins.refuse_foreign(self.request, config, misconfigurations)
        if "Origin" not in self.request.headers and bearer_of(self.request) is None:
            raise NotAllowed("A socket needs an Origin, or a Bearer token.")
        self.member, self.refusal = await self.models.admission.of(self.token)

    def _is_of_a_browser(self) -> bool:
        """Whether the request may have been that of our page before a proxy removed its upgrade. Proxies pass
        Origin and Sec-WebSocket-Key on; a link that someone opens has neither.
        """
        headers = self.request.headers
        return "Sec-WebSocket-Key" in headers or self.check_origin(headers.get("Origin", ""))

    def signed_in(self) -> Member:
        """The member who opens the socket. Raises: Banned, NotSignedIn."""
        if self.refusal is not None:
            raise self.refusal
        if self.member is None:
            raise NotSignedIn
        return self.member

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        problem = as_problem(kwargs["exc_info"][1] if "exc_info" in kwargs else None, status_code)
        self.set_status(problem.status)
        self.finish({"error": problem.as_json()})

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if is_our_fault(value) and not isinstance(value, StreamClosedError):
            logger.error("a socket failed", exc_info=(typ, value, tb))

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        if self.request.headers.get("Sec-WebSocket-Version") != "13":
            return None
        self._connection = WebSocketConnection(
            self,
            max_bytes=MOST_BYTES,
            max_waiting=MOST_WAITING_BYTES,
            ping_seconds=PING_SECONDS,
            too_big=close_codes.BAD,
        )
        return Takeover(self, self._connection)

    @property
    def is_open(self) -> bool:
        return self._connection is not None and self._connection.is_open

    async def open(self, *args: str, **kwargs: str) -> None:
        if not self.is_open:
            return
        self.hub.sockets.add(self)
        try:
            self.hub.limits.enter(self.id, self.user_id, self.address)
            await self.opened(*args)
        except Problem as problem:
            self.refuse(problem)
        finally:
            self._forget_handshake()

    def _forget_handshake(self) -> None:
        """Frees what only the opening needed: the request with its connection, and the answer's headers. They
        would be half of the cost of an open socket.
        """
        del self.request
        for name in HANDSHAKE_HEADERS:
            self.clear_header(name)

    def on_close(self) -> None:
        self.hub.sockets.discard(self)
        self.hub.limits.leave(self.id)

    async def opened(self, *args: str) -> None:
        """Called after the upgrade; a Problem raised here closes the socket with its code."""
        raise NotImplementedError

    def refuse(self, problem: Problem) -> None:
        self.application.misconfigurations.note_problem(problem)
        if isinstance(problem, Banned) and isinstance(problem.notice, BanNotice):
            self.send_message(problem.notice.message)
        self.close(close_codes.BY_STATUS.get(problem.status, close_codes.BAD), problem.message[:120])

    def send(self, frame: bytes) -> None:
        """Writes an encoded frame without waiting; does nothing if the socket is closed."""
        if self._connection is not None:
            self._connection.send(frame)

    def send_message(self, message: JsonStruct) -> None:
        self.send(messages.encode(message))

    def fail(self, code: int, reason: str) -> None:
        """Closes the socket for an error of the client; nothing more of it is read."""
        if self._connection is not None:
            self._connection.fail(code, reason)

    def drop(self) -> None:
        """Ends the connection at once, without a Close frame."""
        if self._connection is not None:
            self._connection.drop()

    def is_over_budget(self) -> bool:
        """Counts one message, fragment or control frame. If it is one too many, the socket is closed."""
        if self.budget.take():
            return False
        self.fail(close_codes.TOO_MANY, "too many messages")
        return True

    def on_binary(self) -> None:
        self.fail(close_codes.BAD, "text frames only")

    def on_too_slow(self) -> None:
        """The Close frame is queued after the pending output: it arrives if the client reads on in time."""
        self.fail(close_codes.TOO_SLOW, "too slow")

    def failed(self, error: Exception, command_id: str | None) -> None:
        """Logs an internal error and reports it to the client; the socket stays open."""
        logger.error("a command failed", exc_info=error)
        self.fault(Problem(), command_id)

    def fault(self, problem: Problem, command_id: str | None) -> None:
        """Reports an error; a socket that sends only invalid frames is closed."""
        self.send_message(
            ErrorMessage(
                id=command_id,
                code=problem.code,
                message=problem.message,
                fields=problem.fields,
                retry_after=problem.retry_after,
            )
        )
        if isinstance(problem, BadRequest):
            self._faults += 1
            if self._faults > MOST_FAULTS:
                self.fail(close_codes.BAD, "too many faulty messages")


def id_of(frame: bytes) -> str | None:
    """The command's id, for the answer to a frame of the wrong shape."""
    try:
        return messages.head(frame).id
    except BadRequest:
        return None
