"""The clock: PostgreSQL's time in every process, an exact instant in tests."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from models.clock import Clock
from models.wiring import Models
from tests.support.scenes import rows

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_what_was_learnt_is_told_onwards() -> None:
    clock = Clock()
    asked = time.monotonic()
    clock.learn(NOON, asked_at=asked - 2, answered_at=asked)
    # Half the round trip is the answer's age.
    assert abs((clock.now() - NOON).total_seconds() - 1) < 0.5
    assert clock.now().tzinfo is UTC


def test_a_frozen_clock_stands_still_and_moves_when_told() -> None:
    clock = Clock()
    assert clock.frozen is None
    clock.freeze(NOON)
    assert clock.now() == clock.frozen == NOON
    clock.advance(minutes=1, milliseconds=1)
    assert clock.now() == NOON + timedelta(seconds=60.001)
    assert clock.now_ms() == round(NOON.timestamp() * 1000) + 60_001
    clock.freeze(None)
    assert abs(clock.now().timestamp() - time.time()) < 5


def test_only_a_frozen_clock_can_be_moved() -> None:
    with pytest.raises(AssertionError):
        Clock().advance(seconds=1)


async def test_every_sweep_learns_postgresqls_clock(models: Models) -> None:
    models.clock.learn(NOON, asked_at=0, answered_at=time.monotonic())
    await models.sweep.once()
    before = (await rows(models, "select clock_timestamp()"))[0][0]
    now = models.clock.now()
    after = (await rows(models, "select clock_timestamp()"))[0][0]
    slack = timedelta(seconds=0.25)
    assert before - slack <= now <= after + slack
