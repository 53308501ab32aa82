"""Metrics of the site. The only module that imports prometheus_client.

With several workers each keeps its values in files of one directory, and any of them adds up those of all.
The library reads the directory from the environment (PROMETHEUS_MULTIPROC_DIR). Counters of a worker that has
ended stay in its files: the sums are exact and never decrease.

Labels come from short fixed lists (handler names, statuses), so that clients cannot make the number of series
grow. No metric is about a single user.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import psutil
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
    multiprocess,
)
from tornado.web import RequestHandler

from models.accounts.scheduled_calls import CallResult
from models.business_events import BusinessEvent, on_event
from models.console.site_figures import SiteFigures

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
SOCKETS = Gauge(
    "napalmsky_sockets", "Open sockets.", ["kind"], registry=REGISTRY, multiprocess_mode="livesum"
)
STATEMENTS = Counter(
    "napalmsky_database_statements", "Uses of a database connection since the start.", registry=REGISTRY
)
PROBES = Counter(
    "napalmsky_probe_calls", "Scheduled calls of two robots.", ["kind", "result"], registry=REGISTRY
)
PROBE_SECONDS = Histogram(
    "napalmsky_probe_seconds", "From offer to media on both sides.", ["kind"], registry=REGISTRY
)
LAG = Histogram(
    "napalmsky_event_loop_lag_seconds",
    "How late the event loop ran a task that was due.",
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 5),
    registry=REGISTRY,
)
RINGS = Counter("napalmsky_rings", "Rings that ended.", ["outcome"], registry=REGISTRY)
CALLS = Counter("napalmsky_calls", "Calls that ended.", ["reason"], registry=REGISTRY)
SUCCESSES = Counter(
    "napalmsky_successful_calls", "Calls that were connected for SUCCESS_SECONDS.", registry=REGISTRY
)
CALL_SECONDS = (0.25, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 20, 30)
SETUP = Histogram(
    "napalmsky_call_setup_seconds",
    "From accept until both sides have media.",
    buckets=CALL_SECONDS,
    registry=REGISTRY,
)
PICTURE = Histogram(
    "napalmsky_first_picture_seconds",
    "From a side's call:state to its first media, as it reports it.",
    buckets=CALL_SECONDS,
    registry=REGISTRY,
)
PATHS = Counter(
    "napalmsky_media_paths", "Connections of a side, as it reports them.", ["path"], registry=REGISTRY
)
RESTARTS = Counter("napalmsky_ice_restarts", "ICE restarts, as the sides report them.", registry=REGISTRY)
WEBHOOKS = Counter("napalmsky_webhooks", "Events of the payment provider.", ["result"], registry=REGISTRY)
SIGN_UPS = Counter("napalmsky_sign_ups", "New guests.", ["kind"], registry=REGISTRY)
REPORTS = Counter("napalmsky_reports", "Reports of users.", ["reason"], registry=REGISTRY)
BANS = Counter("napalmsky_bans", "Bans that took effect.", registry=REGISTRY)
# Of the whole site, the same in every process: the newest value counts.
ONLINE = Gauge(
    "napalmsky_online_users",
    "Users with access and a socket.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
QUEUE = Gauge(
    "napalmsky_queue_length",
    "Users who are listed in the room.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
LIVE = Gauge(
    "napalmsky_live_calls", "Calls that have not ended.", registry=REGISTRY, multiprocess_mode="mostrecent"
)
PAYMENTS = Gauge(
    "napalmsky_payments", "Payments.", ["state"], registry=REGISTRY, multiprocess_mode="mostrecent"
)
SERVER_SECONDS = Histogram(
    "napalmsky_server_seconds",
    "Answer times of PostgreSQL and Redis.",
    ["server"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
    registry=REGISTRY,
)
# From the start at zero: Prometheus sees no growth in a series that begins with its first event.
KNOWN: dict[Counter, tuple[str, ...]] = {
    RINGS: ("accepted", "declined", "cancelled", "missed", "gone"),
    CALLS: ("hung_up", "expired", "dropped", "failed", "banned"),
    PATHS: ("direct", "relay"),
    WEBHOOKS: ("applied", "duplicate", "ignored", "refused", "wrong_livemode", "forged"),
    SIGN_UPS: ("plain", "code"),
}
for counter, words in KNOWN.items():
    for word in words:
        counter.labels(word)
# The library's own values are about one process.
OF_ONE_PROCESS = (GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR)
for collector in OF_ONE_PROCESS:
    REGISTRY.register(collector)
# Those of them that can be added up.
ADDED = {"process_resident_memory_bytes", "process_open_fds"}
REFRESH_SECONDS = 1.0
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


def count_call(result: CallResult) -> None:
    """The result of a scheduled call."""
    PROBES.labels(result.kind, "fine" if result.seconds is not None else "failed").inc()
    if result.seconds is not None:
        PROBE_SECONDS.labels(result.kind).observe(result.seconds)


class Measures:
    """The values that are read at a time instead of counted. `shared`: the directory of all workers."""

    def __init__(self, shared: Path | None = None) -> None:
        self._shared = shared
        self._statements = 0
        self._added: dict[str, Gauge] = {}
        if shared:
            self._added = {
                name: Gauge(name, "Of all workers.", registry=None, multiprocess_mode="livesum")
                for name in ADDED
            }

    @property
    def is_shared(self) -> bool:
        return self._shared is not None

    def refresh(self, *, invites: int, calls: int, statements: int) -> None:
        """`statements` is the number since the start of this process."""
        SOCKETS.labels("invites").set(invites)
        SOCKETS.labels("calls").set(calls)
        STATEMENTS.inc(statements - self._statements)
        self._statements = statements
        for family in PROCESS_COLLECTOR.collect() if self._added else ():
            if family.name in self._added:
                self._added[family.name].set(family.samples[0].value)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        if self._shared is None:
            return generate_latest(REGISTRY)
        _forget_ended(self._shared)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry, path=str(self._shared))  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def _forget_ended(directory: Path) -> None:
    """Removes the gauges of workers that have ended: their sockets and memory are gone."""
    for pid in {int(file.stem.rpartition("_")[2]) for file in directory.glob("gauge_live*_*.db")}:
        if not psutil.pid_exists(pid):
            multiprocess.mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]


def set_figures(figures: SiteFigures) -> None:
    """The figures of the whole site."""
    ONLINE.set(figures.online)
    QUEUE.set(figures.queue)
    LIVE.set(figures.live_calls)
    for state, count in figures.payments.items():
        PAYMENTS.labels(state).set(count)
    SERVER_SECONDS.labels("database").observe(figures.database_seconds)
    SERVER_SECONDS.labels("redis").observe(figures.redis_seconds)


def count_event(event: BusinessEvent) -> None:
    """Counts a business event; the words come from lists of fixed length."""
    match event.name:
        case "ring":
            RINGS.labels(event.kind).inc()
        case "call_success" | "call_failure":
            CALLS.labels(event.kind).inc()
            SUCCESSES.inc(event.name == "call_success")
        case "call_connected":
            SETUP.observe(event.seconds or 0.0)
        case "media":
            PATHS.labels(event.kind).inc()
            if event.seconds is not None:
                PICTURE.observe(event.seconds)
        case "ice_restart":
            RESTARTS.inc()
        case "webhook":
            WEBHOOKS.labels(event.kind).inc()
        case "sign_up":
            SIGN_UPS.labels(event.kind).inc()
        case "report":
            REPORTS.labels(event.kind).inc()
        case "ban":
            BANS.inc()


on_event(count_event)
