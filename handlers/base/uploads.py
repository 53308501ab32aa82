"""Uploads: received into an unnamed file as they arrive, and freed if they are cut off.

Session, ban, XSRF (if its token is in a header) and every limit are checked before the body is read. A
browser shows an early answer, because the connection reads on for a while (`handlers.http.bodies`).
"""

from __future__ import annotations

import asyncio
from typing import Any, BinaryIO

from tornado.web import stream_request_body

from handlers.base.handler import BaseHandler
from handlers.http.multipart import FormReader
from models.errors import Invalid, Problem, TooLarge, Unavailable, UnsupportedMedia
from models.profiles.uploads import RETRY_SECONDS, Uploads

# The form around the file: boundaries, part headers, the XSRF token.
FORM_BYTES = 64 * 1024
# A body that is slower than this is cut off: a poor mobile network is ten times faster.
STALL_SECONDS, STALL_BYTES = 15.0, 64 * 1024
TOO_SLOW = "Many files are being uploaded, and yours was the slowest. Please try again in a moment."


@stream_request_body
class UploadHandler(BaseHandler):
    """Base of the handlers that receive one file, in the field `field`.

    Tornado calls neither the method nor `on_finish` for a body that is cut off: `on_connection_close` is the
    only call.
    """

    field: str
    most_bytes: int
    too_large: str
    missing: str
    slowest_seconds: int

    def initialize(self) -> None:
        super().initialize()
        self._is_whole = self._is_gone = self._is_answered = False
        self._file: BinaryIO | None = None
        self._form: FormReader | None = None
        self._fault: Problem | None = None
        self._received = self._seen = 0
        self._watch: asyncio.TimerHandle | None = None

    @property
    def uploads(self) -> Uploads:
        raise NotImplementedError

    async def prepare(self) -> None:
        connection: Any = self.request.connection
        connection.set_body_timeout(self.slowest_seconds)
        await super().prepare()
        if self.request.method == "POST":
            member = self.allowed(access=False, selfie=False, terms=True, age=True)
            self._refuse_early()
            self._open(member.user_id)

    def check_xsrf_cookie(self) -> None:
        """The token of a plain form is inside the body, so it is checked when the body has arrived."""
        if self.request.method != "POST" or self._is_whole or self.request.headers.get("X-Xsrftoken"):
            super().check_xsrf_cookie()

    def data_received(self, chunk: bytes) -> None:
        """A body that is too long is answered at once; with any other error, the rest of the body is
        dropped.
        """
        self._received += len(chunk)
        if self.is_over or self._form is None:
            return
        if self._received > self.most_bytes + FORM_BYTES:
            self._answer_early(self._too_large())
        elif self._fault is None:
            try:
                self._form.write(chunk)
            except Problem as fault:
                self._fault = fault

    def received(self) -> BinaryIO:
        """The file, after the whole body. Raises: a Problem, or HTTPError for a missing token."""
        assert self._form is not None
        assert self._file is not None
        self._stop_watching()
        self.uploads.complete(self._file)
        self._is_whole = True
        if self._fault is not None:
            raise self._too_large() if isinstance(self._fault, TooLarge) else self._fault
        self._form.end()
        if "_xsrf" in self._form.fields:
            self.request.arguments["_xsrf"] = [self._form.fields["_xsrf"]]
        self.check_xsrf_cookie()
        if not self._form.has_file:
            raise Invalid(**{self.field: self.missing})
        return self._file

    @property
    def is_over(self) -> bool:
        """Whether it was answered before the body arrived, or the client is gone."""
        return self._is_answered or self._is_gone

    def on_finish(self) -> None:
        self._is_answered = True
        if not self._is_gone:
            super().on_finish()
            self._free()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if not self._is_answered and not self._is_whole:
            self.on_finish()
            self._is_gone = True

    def _answer_early(self, problem: Problem) -> None:
        self.send_error(problem.status, exc_info=(type(problem), problem, None))

    def _give_way(self) -> None:
        """This upload is the slowest, and its place is needed."""
        if not self.is_over:
            self._answer_early(Unavailable(TOO_SLOW, retry_after=RETRY_SECONDS))

    def _too_large(self) -> TooLarge:
        """The same error wherever the length is noticed: in the head, in the body, in the file."""
        return TooLarge(self.too_large, fields={self.field: self.too_large})

    def _refuse_early(self) -> None:
        """Raises: TooLarge, UnsupportedMedia."""
        length = self.request.headers.get("Content-Length", "0")
        if length.isdecimal() and int(length) > self.most_bytes + FORM_BYTES:
            raise self._too_large()
        if not self.request.headers.get("Content-Type", "").lower().startswith("multipart/form-data"):
            raise UnsupportedMedia(f"Send the file as multipart/form-data, in the field {self.field}.")

    def _open(self, user_id: str) -> None:
        self._file = self.uploads.open(user_id, self.address, self._give_way)
        self._form = FormReader(self.request.headers["Content-Type"], self.field, self._file, self.most_bytes)
        self._watch = asyncio.get_running_loop().call_later(STALL_SECONDS, self._check_pace)

    def _check_pace(self) -> None:
        """A stalled body frees its slot."""
        if self._received - self._seen < STALL_BYTES:
            connection: Any = self.request.connection
            connection.close()
            return
        self._seen = self._received
        self._watch = asyncio.get_running_loop().call_later(STALL_SECONDS, self._check_pace)

    def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.cancel()

    def _free(self) -> None:
        self._stop_watching()
        if self._file is not None:
            self.uploads.close(self._file)
