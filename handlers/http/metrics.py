"""Metrics of this process. The only module that imports prometheus_client.

Labels come from short fixed lists (handler names, statuses), so that clients cannot make the number of series
grow. No metric is about a single user.
"""

from __future__ import annotations

from functools import lru_cache

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from tornado.web import RequestHandler

CONTENT_TYPE = CONTENT_TYPE_LATEST
REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "napalmsky_http_requests", "Answered requests.", ["handler", "method", "status"], registry=REGISTRY
)
SECONDS = Histogram(
    "napalmsky_http_request_seconds",
    "From the request's head to the end of the answer.",
    ["handler"],
    registry=REGISTRY,
)
CSP_REPORTS = Counter(
    "napalmsky_csp_reports", "What browsers' content policy stopped.", ["directive"], registry=REGISTRY
)
MISCONFIGURATIONS = Counter(
    "napalmsky_misconfigurations", "Rejections that only the operator can fix.", ["cause"], registry=REGISTRY
)
SOCKETS = Gauge("napalmsky_sockets", "Open sockets of this process.", ["kind"], registry=REGISTRY)
STATEMENTS = Gauge("napalmsky_database_statements", "Statements since the start.", registry=REGISTRY)
for collector in (GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR):
    REGISTRY.register(collector)
METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"})


def count_request(handler: RequestHandler) -> None:
    """Tornado's log function: called once for each answered request."""
    count, seconds = _counters(type(handler).__name__, handler.request.method or "", handler.get_status())
    count.inc()
    seconds.observe(handler.request.request_time())


@lru_cache(maxsize=1024)
def _counters(name: str, method: str, status: int) -> tuple[Counter, Histogram]:
    """Cached, because the library looks up a labelled counter again with every request."""
    known = method if method in METHODS else "other"
    return REQUESTS.labels(name, known, str(status)), SECONDS.labels(name)


def exposition(*, invites: int, calls: int, statements: int) -> bytes:
    """All metrics in Prometheus' text format, with the numbers of open sockets and of statements."""
    SOCKETS.labels("invites").set(invites)
    SOCKETS.labels("calls").set(calls)
    STATEMENTS.set(statements)
    return generate_latest(REGISTRY)
