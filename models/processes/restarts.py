"""When a server that has died is started again: at once, later and later if it keeps dying.

What Caddy and coturn complain about is logged under their names, with the setting.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from models.processes.child_process import Server
from models.processes.data_directory import EmbeddedError

SOON_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 0.5
# A server repeats a complaint with each attempt; the log gets it once in this time.
COMPLAINT_SECONDS = 60.0
log = logging.getLogger(__name__)


class Restarts:
    """The restarts of one server."""

    def __init__(self, server: Server, now: Callable[[], float] = time.monotonic) -> None:
        self._server, self._now = server, now
        self._started_at, self._again_at = now(), 0.0
        self._failures = 0
        self._complaints: dict[str, float] = {}

    def look(self) -> None:
        """Starts it again if it has died and its pause is over."""
        self._report()
        if self._server.is_alive():
            self._server.refresh()
            return
        now = self._now()
        if self._again_at == 0.0:
            self._again_at = now + self._pause()
        if now >= self._again_at:
            self._again_at, self._started_at = 0.0, now
            self._start()

    def _pause(self) -> float:
        """Nothing after the first death, then up to half a minute, until it has run for a while."""
        is_soon = self._now() - self._started_at < SOON_SECONDS
        self._failures = self._failures + 1 if is_soon else 1
        if self._failures == 1:
            return 0.0
        return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** (self._failures - 2))

    def _start(self) -> None:
        facts = {"setting": self._server.setting} if self._server.setting else {}
        if reason := self._server.restart_reason:
            self._server.restart_reason, self._failures = "", 0
            log.info("The built-in %s starts again: %s.", self._server.title, reason, extra=facts)
        else:
            log.warning("The built-in %s has died; starting it again.", self._server.title, extra=facts)
        try:
            self._server.start()
        except (EmbeddedError, OSError) as error:
            log.error("The built-in %s does not start: %s", self._server.title, error, extra=facts)

    def _report(self) -> None:
        now = self._now()
        for complaint in self._server.complaints():
            if now - self._complaints.get(complaint, -COMPLAINT_SECONDS) >= COMPLAINT_SECONDS:
                self._complaints = {text: at for text, at in self._complaints.items() if now - at < 3600}
                self._complaints[complaint] = now
                log.warning("%s: %s", self._server.title, complaint, extra={"setting": self._server.setting})
