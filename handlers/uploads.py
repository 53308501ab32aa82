"""What is sent in a long body: read as it comes, answered early, let go when it is cut off."""

from __future__ import annotations

from typing import Any

from handlers.base import BaseHandler


class UploadHandler(BaseHandler):
    """Base of handlers with `@stream_request_body`.

    Tornado calls neither the method nor `on_finish` for a body that is cut off: `on_connection_close` is all
    there is.
    """

    most_body: int
    # A browser shows our answer only if we read on what it is still sending; beyond this it is cut off.
    most_drained: int
    slowest_seconds: int

    def initialize(self) -> None:
        super().initialize()
        self._is_whole = False
        self._is_gone = False

    async def prepare(self) -> None:
        connection: Any = self.request.connection
        connection.set_max_body_size(self.most_drained)
        connection.set_body_timeout(self.slowest_seconds)
        await super().prepare()

    def check_xsrf_cookie(self) -> None:
        """The token of a plain form is inside the body, so it is checked when that is here."""
        if self.request.method != "POST" or self._is_whole:
            super().check_xsrf_cookie()

    @property
    def is_over(self) -> bool:
        """Answered before the body was here, or nobody waits for an answer."""
        return self._finished or self._is_gone

    def on_finish(self) -> None:
        if not self._is_gone:
            super().on_finish()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if not self._finished and not self._is_whole:
            self.on_finish()
            self._is_gone = True
