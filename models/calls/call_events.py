"""The business events of a call: connected, ended, and what its sides report about their connections."""

from __future__ import annotations

from models.business_events import Name, record
from models.calls.call import Call
from models.messages import RtcConnected


def record_step(before: Call, after: Call, success_ms: int) -> None:
    """For each stored step, once: the process that wrote it calls this."""
    was, now = before.progress, after.progress
    if now.state == "ended":
        connected_ms = now.connected_ms or 0
        name: Name = "call_success" if connected_ms >= success_ms else "call_failure"
        record(name, now.ended_reason or "", connected_ms / 1000)
    elif was.state == "connecting" and now.running_since is not None:
        record("call_connected", seconds=(now.running_since - after.started_at).total_seconds())


def record_media(report: RtcConnected) -> None:
    """What a side reports about its connection; it changes nothing."""
    if report.path is not None:
        seconds = None if report.picture_ms is None else report.picture_ms / 1000
        record("media", report.path, seconds)
    for _ in range(report.restarts or 0):
        record("ice_restart")
