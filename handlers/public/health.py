"""Endpoints for machines: liveness, readiness, metrics, and reports of the content security policy."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

from handlers.base.handler import BaseHandler
from handlers.http import metrics
from handlers.http.bodies import refuse_unread
from handlers.http.request import json_fields
from models.errors import BadRequest

logger = logging.getLogger("napalmsky.csp")
LONGEST_REPORT = 16 * 1024
# For the operator to fix; users are served all the same.
WARNINGS = frozenset({"stripe"})


class QuietHandler(BaseHandler):
    """A handler for machines, without a session: no look-up, no count."""

    is_counted = False

    async def prepare(self) -> None:
        """No session is looked up."""


class HealthHandler(QuietHandler):
    """GET /healthz: this process answers. No I/O, so that it is fast even if the servers are slow."""

    def get(self) -> None:
        self.json({"status": "ok"})


class ReadyHandler(QuietHandler):
    """GET /readyz: 200 if all checks pass, otherwise 503; each check with its result."""

    async def get(self) -> None:
        checks = await self.models.health.checks()
        checks["process"] = "draining" if self.application.requests.is_draining else "ok"
        is_ready = all(found == "ok" for name, found in checks.items() if name not in WARNINGS)
        if checks["redis"] == "ok" and await self.models.health.may_evict():
            self.application.misconfigurations.note("redis_policy")
        told: dict[str, object] = {"status": "ok" if is_ready else "unavailable", "checks": checks}
        if warnings := self.application.misconfigurations.persisting():
            told["warnings"] = warnings
        self.json(told, 200 if is_ready else 503)


class MetricsHandler(QuietHandler):
    """GET /metrics in Prometheus' text format: only numbers, nothing about single users."""

    def get(self) -> None:
        self.set_header("Content-Type", metrics.CONTENT_TYPE)
        self.set_header("Cache-Control", "no-store")
        hub, db = self.application.hub, self.models.db
        invites, calls = (sum(map(len, one.values())) for one in (hub.invite_sockets, hub.seats))
        self.finish(metrics.exposition(invites=invites, calls=calls, statements=db.statements_run))


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


DIRECTIVES = frozenset({
    "default-src", "script-src", "script-src-elem", "script-src-attr", "style-src", "style-src-elem",
    "style-src-attr", "img-src", "media-src", "connect-src", "font-src", "object-src", "base-uri",
    "form-action", "frame-ancestors", "frame-src", "worker-src", "manifest-src",
})  # fmt: skip


def _origin(uri: str) -> str:
    """`https://host`, or the keyword that browsers send instead (`inline`, `eval`, `data`)."""
    try:
        parts = urlsplit(uri)
        return f"{parts.scheme}://{parts.netloc}"[:200] if parts.netloc else (parts.scheme or parts.path)[:20]
    except ValueError:
        return "unreadable"
