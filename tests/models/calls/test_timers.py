"""Timers: a call ends at its deadline, between two sweeps, and only if its time is really up."""

from __future__ import annotations

import pytest

from models.calls.state import MediaDown
from models.calls.timers import CallTimers
from models.wiring import Models
from tests.conftest import MakePerson
from tests.models.calls.test_calls import begun, connect
from tests.support.scenes import rows, stand_still, until

ENDED = "select ended_reason, connected_ms from calls where state = 'ended'"


async def running(models: Models, person: MakePerson, left: float = 0.2) -> str:
    """A call of a minute, `left` seconds before its end."""
    stand_still(models)
    _, _, call = await begun(models, person, 60)
    await connect(models, call)
    models.clock.advance(seconds=60 - left)
    return call.call_id


async def test_a_call_ends_at_its_deadline_between_two_sweeps(models: Models, person: MakePerson) -> None:
    await running(models, person)
    timers = CallTimers(models.calls)
    timers.set(0.5)
    models.clock.advance(seconds=0.2)
    await until(lambda: not timers.is_any_set)
    assert await rows(models, ENDED) == [("expired", 60_000)]


async def test_the_sweep_sets_timers(models: Models, person: MakePerson) -> None:
    await running(models, person)
    await models.sweep.once()
    models.clock.advance(seconds=0.2)
    assert models.sweep.timers.is_any_set
    await until(lambda: not models.sweep.timers.is_any_set)
    assert await rows(models, ENDED) == [("expired", 60_000)]


async def test_stopping_the_sweep_stops_the_timers(models: Models, person: MakePerson) -> None:
    await running(models, person)
    await models.sweep.once()
    assert models.sweep.timers.is_any_set
    await models.sweep.stop()
    assert not models.sweep.timers.is_any_set


async def test_calls_that_are_due_later_get_no_timer(models: Models, person: MakePerson) -> None:
    await running(models, person)
    timers = CallTimers(models.calls)
    timers.set(0.1)
    assert not timers.is_any_set
    models.clock.advance(seconds=1)
    # Overdue is the sweep's.
    timers.set(0.5)
    assert not timers.is_any_set


async def test_a_timer_does_not_end_a_paused_call(models: Models, person: MakePerson) -> None:
    call_id = await running(models, person, left=0.7)
    timers = CallTimers(models.calls)
    timers.set(1)
    await models.calls.report_media(call_id, MediaDown("callee"))
    assert timers.is_any_set
    models.clock.advance(seconds=1)
    await until(lambda: not timers.is_any_set)
    assert await rows(models, ENDED) == []


async def test_a_deleted_call_is_not_an_error(
    models: Models, person: MakePerson, caplog: pytest.LogCaptureFixture
) -> None:
    await running(models, person)
    timers = CallTimers(models.calls)
    timers.set(0.5)
    await rows(models, "delete from live_seats")
    await rows(models, "delete from calls")
    models.clock.advance(seconds=0.2)
    await until(lambda: not timers.is_any_set)
    assert caplog.records == []


async def test_stopped_timers_log_nothing(models: Models, person: MakePerson) -> None:
    await running(models, person)
    timers = CallTimers(models.calls)
    timers.set(0.5)
    models.clock.advance(seconds=1)
    await timers.stop()
    assert not timers.is_any_set
    assert await rows(models, ENDED) == []
