"""A killed PostgreSQL: it loses at most the first seats of a call, and the call goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

from models.calls.call import Call
from models.calls.state import Event, MediaUp, SeatLost
from models.errors import Unavailable
from models.ids import new_id
from models.postgres.migrations import migrate
from models.settings.config import Config
from models.wiring import Models
from tests.machines.servers import Pair

# The test servers do not wait for the disk; here everything waits for it unless the statement says otherwise.
DURABLE = "alter database postgres set synchronous_commit = on"
# By itself PostgreSQL writes what it has not written yet five times a second.
SLOW_WRITER = "alter system set wal_writer_delay = '10s'"
ADD_USERS = """
with added as (
    insert into users (user_id, name, gender, adult_at, created_at)
    select user_id, 'P', 'female', now(), now() from unnest(%s::uuid[]) as user_id returning user_id
)
insert into access_grants (grant_id, user_id, reason, source, granted_at)
select gen_random_uuid(), user_id, 'payment', 'test:' || user_id, now() from added
"""


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(tmp_path)
    pair.start()
    migrate(pair.database_url)
    for sql in (DURABLE, SLOW_WRITER, "select pg_reload_conf()"):
        pair.rows(sql)
    yield pair
    pair.stop()


@pytest.fixture
def models(io_loop: IOLoop, pair: Pair, tmp_path: Path) -> Iterator[Models]:
    models = io_loop.run_sync(
        lambda: Models.open(Config(data_dir=tmp_path), pair.database_url, pair.redis_url)
    )
    yield models
    io_loop.run_sync(models.close)


async def begun(models: Models, pair: Pair) -> Call:
    """A call with both seats, which wait to be written."""
    users = [new_id(), new_id()]
    pair.rows(ADD_USERS, users)
    new = models.calls.new(new_id(), *users, 300)
    assert (await models.outcomes.accept(new))[0] == "accepted"
    models.calls.add_accepted(new)
    await models.calls.take_seat(new.call_id, "caller", "a")
    return (await models.calls.take_seat(new.call_id, "callee", "b"))[0]


async def crash(models: Models, pair: Pair) -> None:
    """PostgreSQL is killed and starts again; the first statement notices."""
    pair.postgres.kill()
    pair.postgres.start()
    for _ in range(2):
        try:
            await models.calls.live_of(new_id())
        except Unavailable:
            continue


async def seats(pair: Pair) -> tuple[object, ...]:
    (found,) = pair.rows("select caller_seat, callee_seat from calls")
    return found


async def test_lost_seats_are_taken_again_with_the_next_step(models: Models, pair: Pair) -> None:
    call = await begun(models, pair)
    await crash(models, pair)
    assert await seats(pair) == (None, None)
    assert await models.calls.report_media(call.call_id, MediaUp("caller")) is None
    assert await models.calls.report_media(call.call_id, MediaUp("callee")) is None
    now = await models.calls.get(call.call_id)
    assert now.progress.clock == "running"
    assert (now.progress.caller_seat, now.progress.callee_seat) == await seats(pair)
    assert now.progress.caller_seat is not None
    assert now.progress.callee_back_by is None
    await crash(models, pair)
    assert (await models.calls.get(call.call_id)) == now


@pytest.mark.parametrize("is_first_lost", [True, False])
async def test_a_seat_that_is_left_after_the_crash_is_empty(
    models: Models, pair: Pair, is_first_lost: bool
) -> None:
    call = await begun(models, pair)
    await crash(models, pair)
    seat = f"{models.bus.process_id}/{'a' if is_first_lost else 'b'}"
    event: Event = SeatLost("caller" if is_first_lost else "callee", seat)
    after = (await models.calls.apply(call.call_id, event)).progress
    assert (after.caller_seat is None, after.callee_seat is None) == (is_first_lost, not is_first_lost)
    assert await seats(pair) == (after.caller_seat, after.callee_seat)


async def test_the_acceptance_and_the_end_are_never_lost(models: Models, pair: Pair) -> None:
    call = await begun(models, pair)
    await models.calls.hang_up(call.call_id)
    await crash(models, pair)
    assert pair.rows("select state, ended_reason from calls") == [("ended", "hung_up")]
    assert pair.rows("select outcome from invite_outcomes") == [("accepted",)]
