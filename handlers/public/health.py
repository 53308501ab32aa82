"""Endpoints for machines: liveness, readiness and metrics."""

from __future__ import annotations

import contextlib

from handlers.base.handler import BaseHandler
from handlers.http import metrics
from models.errors import Unavailable

# For the operator to fix; users are not affected.
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
        answer: dict[str, object] = {"status": "ok" if is_ready else "unavailable", "checks": checks}
        if warnings := self.application.misconfigurations.persisting():
            answer["warnings"] = warnings
        self.json(answer, 200 if is_ready else 503)


class MetricsHandler(QuietHandler):
    """GET /metrics in Prometheus' text format: only numbers, nothing about single users."""

    async def get(self) -> None:
        with contextlib.suppress(Unavailable):
            metrics.set_figures(await self.models.statistics.figures())
        self.set_header("Content-Type", metrics.CONTENT_TYPE)
        self.set_header("Cache-Control", "no-store")
        self.application.measure()
        self.finish(self.application.measures.exposition())
