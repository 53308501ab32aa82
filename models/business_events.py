"""Business events: each is one line in the log, and is passed to the metrics.

An event consists of fixed words and numbers: no id, name, text or address of anyone. It is recorded by the
process that decided it, once, after the decision is stored.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal, NamedTuple

logger = logging.getLogger("napalmsky.events")
Name = Literal[
    "ring", "call_connected", "call_success", "call_failure", "media", "ice_restart", "webhook", "sign_up",
    "report", "ban",
]  # fmt: skip


class BusinessEvent(NamedTuple):
    """`kind` is an outcome, a reason or a result; `seconds` a length, where there is one."""

    name: Name
    kind: str = ""
    seconds: float | None = None


_listeners: list[Callable[[BusinessEvent], None]] = []


def on_event(listener: Callable[[BusinessEvent], None]) -> None:
    """Calls `listener` for every event of this process."""
    _listeners.append(listener)


def record(name: Name, kind: str = "", seconds: float | None = None) -> None:
    event = BusinessEvent(name, kind, seconds)
    if logger.isEnabledFor(logging.INFO):
        facts: dict[str, object] = {"event": name} | ({"kind": kind} if kind else {})
        facts |= {} if seconds is None else {"seconds": round(seconds, 3)}
        # `logger.info` would also look for the calling line, which costs more than the rest and is not shown.
        line = logger.makeRecord(logger.name, logging.INFO, __file__, 0, "event", (), None, extra=facts)
        logger.handle(line)
    for listener in _listeners:
        listener(event)
