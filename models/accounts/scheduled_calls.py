"""The doctor's call on a schedule (PROBE_MINUTES): two robots through BASE_URL, counted and logged.

One process of the site makes it: Redis decides which one. The robots run in a process of their own. Each
result is passed to `heard`. A site without the robots' libraries makes no call.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from models.accounts.robots import Robots, plan_of
from models.processes.robots_process import ProbeFailed, has_robots, run_probe
from models.redis import keys
from models.redis.client import Bus
from models.settings.config import Config

logger = logging.getLogger(__name__)
ScheduledCallKind = Literal["direct", "relayed"]
# Looked at this often; a call is made when PROBE_MINUTES have passed since the last one of any process.
LOOK_SECONDS = 20.0


class CallResult(msgspec.Struct, frozen=True):
    """`seconds` until picture and sound arrived on both sides; None: the call failed."""

    kind: ScheduledCallKind
    seconds: float | None
    fault: str = ""


class ScheduledCalls:
    def __init__(self, config: Config, bus: Bus, robots: Robots) -> None:
        self._config, self._bus, self._robots = config, bus, robots
        self.on_result: Callable[[CallResult], None] = lambda result: None

    async def run(self) -> list[CallResult]:
        """Makes a call if one is due."""
        if not self._config.probe_minutes or not has_robots() or not await self._is_due():
            return []
        results = await self._call()
        for result in results:
            self.on_result(result)
            if result.seconds is None:
                facts = {"kind": result.kind, "fault": result.fault}
                logger.error("the scheduled call failed; `server.py doctor` names the cause", extra=facts)
        return results

    async def _is_due(self) -> bool:
        """Whether this process is the one to call; the others find the key."""
        milliseconds = self._config.probe_minutes * 60_000
        taken = await self._bus.command("SET", keys.PROBED, self._bus.process_id, "NX", "PX", milliseconds)
        return taken is not None

    async def _call(self) -> list[CallResult]:
        callers = await self._robots.probes()
        try:
            found = await run_probe(plan_of(self._config, callers), _environment(self._config))
            return results_of(self._config, found)
        except ProbeFailed:
            return results_of(self._config, {"call": "no result"})
        finally:
            await self._robots.remove_probes([one.user_id for one in callers])


def _environment(config: Config) -> dict[str, str]:
    """With the certificates that the site itself trusts: BASE_URL may have one of a private authority."""
    return {"SSL_CERT_FILE": str(config.ssl_cert_file.absolute())} if config.ssl_cert_file else {}


def results_of(config: Config, result: Mapping[str, Any]) -> list[CallResult]:
    """What was expected and did not come is a failure too. The relayed call is fine if it is through every
    TURN URL.
    """
    results = [] if config.relay_only else [_result("direct", result, result.get("direct", {}))]
    if config.relay_only or result.get("allocations"):
        results.append(_result("relayed", result, _slowest(result)))
    return results


def _slowest(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The media through the slowest TURN URL, or the first fault."""
    faults = [f"{url}: {fault}" for url, fault in result.get("allocations", {}).items() if fault]
    found = result.get("relayed", {})
    faults += [f"{url}: {one['fault']}" for url, one in found.items() if "fault" in one]
    if faults or not found:
        return {"fault": next(iter(faults), "no TURN server")}
    return {"seconds": max(one["seconds"] for one in found.values())}


def _result(kind: ScheduledCallKind, result: Mapping[str, Any], found: Mapping[str, Any]) -> CallResult:
    if "call" in result or "seconds" not in found:
        return CallResult(kind, None, result.get("call") or found.get("fault", "no media"))
    return CallResult(kind, found["seconds"])
