"""Reports that browsers send about violations of the content security policy."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

from handlers.http import metrics
from handlers.http.bodies import refuse_unread
from handlers.http.request import json_fields
from handlers.public.health import QuietHandler
from models.errors import BadRequest

logger = logging.getLogger("napalmsky.csp")
LONGEST_REPORT = 16 * 1024
DIRECTIVES = frozenset({
    "default-src", "script-src", "script-src-elem", "script-src-attr", "style-src", "style-src-elem",
    "style-src-attr", "img-src", "media-src", "connect-src", "font-src", "object-src", "base-uri",
    "form-action", "frame-ancestors", "frame-src", "worker-src", "manifest-src",
})  # fmt: skip


class CspReportHandler(QuietHandler):
    """POST /csp-report (CSP Level 3, 5.3): which directive blocked which origin, nothing else about the
    page.
    """

    def check_xsrf_cookie(self) -> None:
        """Browsers send reports automatically and without a token; they change nothing."""
        refuse_unread(self.request)

    async def post(self) -> None:
        await self.models.rate_limits.hit("csp", self.address)
        directive, blocked = read_report(self.request.body)
        metrics.CSP_REPORTS.labels(directive).inc()
        logger.warning("content policy", extra={"directive": directive, "blocked": blocked})
        self.nothing()


def read_report(body: bytes) -> tuple[str, str]:
    """(directive, blocked origin). Raises: BadRequest, if it is not a report."""
    if len(body) > LONGEST_REPORT:
        raise BadRequest("That is not a policy report.")
    report: Any = json_fields(body).get("csp-report")
    if not isinstance(report, dict):
        raise BadRequest("That is not a policy report.")
    directive = str(report.get("effective-directive") or report.get("violated-directive") or "").split(" ")[0]
    return directive if directive in DIRECTIVES else "other", _origin(str(report.get("blocked-uri", "")))


def _origin(uri: str) -> str:
    """`https://host`, or the keyword that browsers send instead (`inline`, `eval`, `data`)."""
    try:
        parts = urlsplit(uri)
        return f"{parts.scheme}://{parts.netloc}"[:200] if parts.netloc else (parts.scheme or parts.path)[:20]
    except ValueError:
        return "unreadable"
