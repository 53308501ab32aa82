"""Restarts: seats of dead processes and grace periods, for many calls in one statement."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from models.calls.call import Call
from models.calls.state import (
    Event,
    MediaDown,
    MediaUp,
    Restarted,
    Rules,
    SeatLost,
    SeatTaken,
    step,
)
from models.errors import Unavailable
from models.redis import keys
from models.wiring import Models
from tests.conftest import MakePerson, MakeSite, Running
from tests.support import many_calls
from tests.support.pace import within
from tests.support.scenes import ban, crash, in_call, rounds, rows, stand_still, until

TAKEN = (SeatTaken("caller", "gone/a"), SeatTaken("callee", "here/b"))
UP = (MediaUp("caller"), MediaUp("callee"))
HISTORIES: dict[str, tuple[Event, ...]] = {
    "nobody yet": (),
    "connecting": TAKEN,
    "running": (*TAKEN, *UP),
    "paused": (*TAKEN, *UP, MediaDown("callee")),
    "both gone": (SeatTaken("caller", "gone/a"), SeatTaken("callee", "gone/b"), *UP),
    "an open grace period": (*TAKEN, *UP, SeatLost("callee", "here/b")),
    "elsewhere": (SeatTaken("caller", "here/a"), SeatTaken("callee", "here/b"), *UP),
}


async def begun(models: Models, person: MakePerson, *events: Event) -> Call:
    one, other = await person("Anna"), await person("Ben")
    new = models.calls.new(str((await rows(models, "select gen_random_uuid()::text"))[0][0]), one.user_id,
                           other.user_id, 300)  # fmt: skip
    assert (await models.outcomes.accept(new))[0] == "accepted"
    for event in events:
        await models.calls.apply(new.call_id, event)
        models.clock.advance(seconds=1)
    return await models.calls.get(new.call_id)


@pytest.mark.parametrize("everyone", [True, False])
async def test_the_statement_equals_the_state_machine(
    models: Models, person: MakePerson, *, everyone: bool
) -> None:
    stand_still(models)
    before = {name: await begun(models, person, *events) for name, events in HISTORIES.items()}
    models.clock.advance(seconds=5)
    assert await models.calls.restarts.run(["gone"], everyone=everyone)
    for name, call in before.items():
        is_touched = everyone or "gone" in f"{call.progress.caller_seat}{call.progress.callee_seat}"
        event = Restarted(frozenset({"gone"}))
        expected = step(call.progress, event, models.clock.now(), Rules()) if is_touched else call.progress
        after = await models.calls.get(call.call_id)
        assert after.progress == expected, name
        assert after.version == call.version + (expected != call.progress), name


async def test_a_restart_at_the_same_instant_changes_nothing_more(models: Models, person: MakePerson) -> None:
    stand_still(models)
    call = await begun(models, person, *HISTORIES["both gone"])
    for _ in range(2):
        assert await models.calls.restarts.run(["gone"], everyone=True)
    assert (await models.calls.get(call.call_id)).version == call.version + 1


async def test_a_newer_seat_keeps_its_key(models: Models, person: MakePerson) -> None:
    stand_still(models)
    call = await begun(models, person, *HISTORIES["both gone"])
    for side, socket_id in (("caller", "a"), ("callee", "newer")):
        await models.bus.command("set", keys.seat(call.call_id, side), socket_id, "ex", 60)
    await models.calls.restarts.run(["gone"], everyone=True)
    assert await models.bus.command("get", keys.seat(call.call_id, "caller")) is None
    assert await models.bus.command("get", keys.seat(call.call_id, "callee")) == b"newer"


async def test_a_dead_process_restarts_its_grace_periods(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    far, lonely = await make_site(), await in_call(site, person)
    lonely.b.close()
    await lonely.a.receive("peer:left")
    (before,) = (await rows(site.models, BACK_BY, lonely.call_id))[0]
    scene = await in_call(site, person, far)
    await crash(far)
    await rounds(site, 1)
    await scene.a.receive("peer:left")
    for call_id in (lonely.call_id, scene.call_id):
        (back_by,) = (await rows(site.models, BACK_BY, call_id))[0]
        assert back_by > before
        assert abs(back_by - site.models.clock.now() - timedelta(seconds=30)) < timedelta(seconds=3)


BACK_BY = "select callee_back_by from calls where call_id = %s"


async def test_keys_that_redis_could_not_delete_are_deleted_later(models: Models, person: MakePerson) -> None:
    stand_still(models)
    call = await begun(models, person, *HISTORIES["both gone"])
    await models.bus.command("set", keys.seat(call.call_id, "caller"), "a", "ex", 60)
    await models.bus.command("acl", "setuser", "default", "-evalsha", "-eval")
    try:
        with pytest.raises(Unavailable):
            await models.calls.restarts.run(["gone"], everyone=True)
    finally:
        await models.bus.command("acl", "setuser", "default", "+@all")
    await models.calls.restarts.empty_keys()
    assert await models.bus.command("get", keys.seat(call.call_id, "caller")) is None


class Pulse:
    """The longest time that the event loop was blocked, and the longest between two heartbeats, in seconds.

    `lag` is processor time of this thread, which other processes on the machine do not affect.
    """

    def __init__(self, models: Models) -> None:
        self._models = models
        self.lag = self.gap = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Pulse:
        self._tasks = [asyncio.create_task(self._feel()), asyncio.create_task(self._look())]
        return self

    async def __aexit__(self, *_error: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _feel(self) -> None:
        while True:
            at = time.thread_time()
            await asyncio.sleep(0.001)
            self.lag = max(self.lag, time.thread_time() - at)

    async def _look(self) -> None:
        age = "select extract(epoch from clock_timestamp() - seen_at) from processes where process_id = %s"
        while True:
            found = await rows(self._models, age, self._models.bus.process_id)
            self.gap = max(self.gap, float(found[0][0]))
            await asyncio.sleep(0.05)


BEATS = "select 1 from processes where seen_at > clock_timestamp() - interval '0.4 seconds'"
LEFT = "caller_seat is not null or callee_seat is not null or callee_back_by is null"


async def is_over(models: Models) -> bool:
    """Whether no seat and no entry of the dead process is left."""
    return not await many_calls.number(models, LEFT) and not await rows(
        models, "select 1 from processes offset 1"
    )


async def survive(site: Running, person: MakePerson, calls: int) -> Pulse:
    """A process dies with this many calls; the other process goes on and enforces a ban."""
    models = site.models
    anna = await person("Anna")
    socket = await site.invites(anna)
    await many_calls.make(models, calls, "dead")
    models.sweep.start()
    await until(lambda: rows(models, BEATS))
    async with Pulse(models) as pulse:
        await many_calls.dead(models, "dead")
        await until(lambda: many_calls.number(models, "caller_seat is null"), seconds=20)
        at = time.monotonic()
        await ban(models, anna)
        assert await socket.closed() == 4403
        banned_within = time.monotonic() - at
        await until(lambda: is_over(models), seconds=30)
    await models.sweep.stop()
    assert banned_within < within(1.5)
    return pulse


async def test_a_dead_process_with_calls_delays_no_heartbeat(site: Running, person: MakePerson) -> None:
    pulse = await survive(site, person, 1500)
    assert (pulse.gap < within(1.5), pulse.lag < 0.2) == (True, True), (pulse.gap, pulse.lag)


@pytest.mark.prove
async def test_a_dead_process_with_ten_thousand_calls(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    pulse = await survive(site, person, 10_000)
    print(f"longest gap between beats {pulse.gap:.2f} s, longest stop of the loop {pulse.lag:.3f} s")
    assert (pulse.gap < within(1.5), pulse.lag < 0.2) == (True, True), (pulse.gap, pulse.lag)
    at = time.monotonic()
    await make_site()
    print(f"a process starts beside them within {time.monotonic() - at:.2f} s")
    assert time.monotonic() - at < within(5)
