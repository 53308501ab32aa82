"""A call ends at its instant: between two rounds of the sweep, and only if its time is really up."""

from __future__ import annotations

import pytest

from models.calls.state import MediaDown
from models.calls.timers import CallAlarms
from models.wiring import Models
from tests.conftest import MakePerson
from tests.models.calls.test_calls import begun, connect
from tests.support.scenes import rows, stand_still, until

ENDED = "select ended_reason, connected_ms from calls where state = 'ended'"


async def running(models: Models, person: MakePerson, left: float = 0.2) -> str:
    """A call of a minute, so many seconds before its end."""
    stand_still(models)
    _, _, call = await begun(models, person, 60)
    await connect(models, call)
    models.clock.advance(seconds=60 - left)
    return call.call_id


async def test_a_call_ends_at_its_instant_without_another_round(models: Models, person: MakePerson) -> None:
    await running(models, person)
    alarms = CallAlarms(models.calls)
    alarms.set(0.5)
    models.clock.advance(seconds=0.2)
    await until(lambda: not alarms.is_any_set)
    assert await rows(models, ENDED) == [("expired", 60_000)]


async def test_the_sweep_sets_them(models: Models, person: MakePerson) -> None:
    await running(models, person)
    await models.sweep.once()
    models.clock.advance(seconds=0.2)
    assert models.sweep.alarms.is_any_set
    await until(lambda: not models.sweep.alarms.is_any_set)
    assert await rows(models, ENDED) == [("expired", 60_000)]


async def test_a_sweep_that_stops_takes_them_along(models: Models, person: MakePerson) -> None:
    await running(models, person)
    await models.sweep.once()
    assert models.sweep.alarms.is_any_set
    await models.sweep.stop()
    assert not models.sweep.alarms.is_any_set


async def test_what_is_not_due_in_this_round_is_left_to_a_later_one(
    models: Models, person: MakePerson
) -> None:
    await running(models, person)
    alarms = CallAlarms(models.calls)
    alarms.set(0.1)
    assert not alarms.is_any_set
    models.clock.advance(seconds=1)
    # Overdue is the sweep's.
    alarms.set(0.5)
    assert not alarms.is_any_set


async def test_a_clock_that_was_paused_meanwhile_goes_on(models: Models, person: MakePerson) -> None:
    call_id = await running(models, person, left=0.7)
    alarms = CallAlarms(models.calls)
    alarms.set(1)
    await models.calls.report_media(call_id, MediaDown("callee"))
    assert alarms.is_any_set
    models.clock.advance(seconds=1)
    await until(lambda: not alarms.is_any_set)
    assert await rows(models, ENDED) == []


async def test_a_call_that_is_gone_is_no_fault(
    models: Models, person: MakePerson, caplog: pytest.LogCaptureFixture
) -> None:
    await running(models, person)
    alarms = CallAlarms(models.calls)
    alarms.set(0.5)
    await rows(models, "delete from live_seats")
    await rows(models, "delete from calls")
    models.clock.advance(seconds=0.2)
    await until(lambda: not alarms.is_any_set)
    assert caplog.records == []


async def test_stopped_they_are_silent(models: Models, person: MakePerson) -> None:
    await running(models, person)
    alarms = CallAlarms(models.calls)
    alarms.set(0.5)
    models.clock.advance(seconds=1)
    await alarms.stop()
    assert not alarms.is_any_set
    assert await rows(models, ENDED) == []
