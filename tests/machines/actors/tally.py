"""What attacks have really done, counted by the attackers themselves: a line of JSON for the test."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from contextvars import ContextVar

Tally = dict[str, dict[str, int]]
attack: ContextVar[str] = ContextVar("attack")
_counts: defaultdict[str, Counter[str]] = defaultdict(Counter)


def note(what: str, number: int = 1) -> None:
    """Counts for the attack of this task: connections accepted, bytes taken, and so on."""
    _counts[attack.get()][what] += number


def tell() -> None:
    print(json.dumps(_counts), flush=True)


def read(output: bytes) -> Tally:
    """By attack and by what was counted. Raises: ValueError, if the attackers told nothing."""
    return {name: Counter(counts) for name, counts in json.loads(output.splitlines()[-1]).items()}
