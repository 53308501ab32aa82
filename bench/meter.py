"""The cost of a period of work: CPU seconds of the site, PostgreSQL and Redis; statements and commands.

CPU time is user + system, all threads, as the kernel counts it. Statements are the site's own count (a
transaction counts once); Redis also counts the commands inside its scripts, so scripts are listed separately.
"""

from __future__ import annotations

import re
import statistics
import urllib.request
from dataclasses import dataclass, fields
from typing import Self

import psutil
import redis

from bench.site_process import SiteUnderTest


@dataclass(frozen=True)
class Cost:
    server_seconds: float
    postgres_seconds: float
    redis_seconds: float
    statements: int
    redis_scripts: int
    redis_commands: int

    def __sub__(self, other: Self) -> Self:
        names = [field.name for field in fields(self)]
        return type(self)(*(getattr(self, name) - getattr(other, name) for name in names))


class Meter:
    """Call `start()`, do the work, `stop()` returns the cost. The CPU time of reading is left out."""

    def __init__(self, site: SiteUnderTest) -> None:
        self._site = site
        self._redis = redis.Redis.from_url(site.redis_url)
        self._server = psutil.Process(site.pid)
        self._before: Cost | None = None

    def start(self) -> None:
        counts = self._counts()
        self._before = Cost(*self._cpu(), *counts)

    def stop(self) -> Cost:
        assert self._before is not None
        cpu = self._cpu()
        return Cost(*cpu, *self._counts()) - self._before

    def resident_bytes(self) -> int:
        return int(self._server.memory_info().rss)

    def close(self) -> None:
        self._redis.close()

    def _cpu(self) -> tuple[float, float, float]:
        postgres = psutil.Process(self._site.postgres_pid)
        backends = [postgres, *postgres.children(recursive=True)]
        return (
            cpu_seconds(self._server),
            sum(map(cpu_seconds, backends)),
            cpu_seconds(psutil.Process(self._site.redis_pid)),
        )

    def _counts(self) -> tuple[int, int, int]:
        stats = self._redis.info("commandstats")
        calls = {name.removeprefix("cmdstat_"): int(stat["calls"]) for name, stat in stats.items()}
        scripts = calls.get("evalsha", 0) + calls.get("eval", 0)
        return self._statements(), scripts, sum(calls.values())

    def _statements(self) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._site.port}/metrics") as answer:
            text = answer.read().decode()
        # Older revisions have no suffix.
        found = re.search(r"^napalmsky_database_statements(?:_total)? (\S+)$", text, re.MULTILINE)
        assert found is not None
        return int(float(found[1]))


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time, all threads, so far."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def percentile(values: list[float], share: float) -> float:
    """The p-quantile: 0.99 of 200 values is the second largest."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def median(values: list[float]) -> float:
    return float(statistics.median(values))
