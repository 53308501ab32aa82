"""Checks of the operator's PostgreSQL and Redis, in parallel; done within five seconds."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

from models.findings import Findings
from models.postgres.requirements import check_database
from models.redis.requirements import check_redis

MOST_SECONDS = 4.8


def check_services(database_url: str | None, redis_url: str | None, connections: int = 2) -> Findings:
    """Checks those that are set. `connections`: how many PostgreSQL must allow. Blocking."""
    checks: dict[str, Callable[[], Findings]] = {}
    if database_url:
        checks["DATABASE_URL"] = lambda: check_database(database_url, connections)
    if redis_url:
        checks["REDIS_URL"] = lambda: check_redis(redis_url)
    found = _within(checks)
    silent = "the server does not answer within five seconds (a firewall, slow names, or a server that hangs)"
    answers = [found.get(name, Findings(refused=(f"{name}: {silent}.",))) for name in checks]
    together = Findings()
    for one in answers:
        together = together.with_(one)
    return together


def _judged(name: str, check: Callable[[], Findings]) -> Findings:
    """A check that fails in an unexpected way is a finding too; it names the kind of the error only."""
    try:
        return check()
    except Exception as error:
        return Findings(refused=(f"{name}: it cannot be used ({type(error).__name__}).",))


def _within(checks: dict[str, Callable[[], Findings]]) -> dict[str, Findings]:
    """The results that arrived in time. A thread that hangs in a name look-up is left behind and blocks
    nothing.
    """
    answers: queue.Queue[tuple[str, Findings]] = queue.Queue()
    for name, check in checks.items():
        threading.Thread(
            target=lambda name=name, check=check: answers.put((name, _judged(name, check))),
            name=f"check {name}",
            daemon=True,
        ).start()
    found: dict[str, Findings] = {}
    until = time.monotonic() + MOST_SECONDS
    while len(found) < len(checks):
        try:
            name, findings = answers.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        found[name] = findings
    return found
