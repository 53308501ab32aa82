"""Lines that come in the same tick of the event loop: one statement, and for each line its own outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import msgspec
import psycopg2
import pytest

from handlers.calls.relay import RelaySocket
from models.calls import chat as module
from models.calls.call import Call
from models.calls.chat import CallChat
from models.errors import Conflict, TooMany, Unavailable
from models.messages import ChatRelayed
from models.postgres.database import Db
from models.postgres.statements import UniqueViolation
from models.wiring import Models
from tests.conftest import MakePerson, MakeSite, Running
from tests.machines.faults.fault_proxy import FaultProxy
from tests.models.calls.test_calls import begin, begun
from tests.support.pace import within
from tests.support.scenes import in_call, rows, stand_still, until
from tests.support.servers import Servers

LIMITS = (
    "select caller_lines, callee_lines, caller_chat_until, callee_chat_until from calls where call_id = %s"
)
STORED = "select client_id from call_messages order by sent_at, message_id"


async def calls_of(models: Models, person: MakePerson, number: int) -> list[Call]:
    return [await begin(models, await person("Anna"), await person("Ben")) for _ in range(number)]


async def at_once(*lines: Any) -> list[Any]:
    """What became of each line."""
    return await asyncio.gather(*lines, return_exceptions=True)


async def cost(models: Models, *lines: Any) -> int:
    """How many statements it takes to store these lines at once."""
    before = models.db.statements_run
    said = await at_once(*lines)
    assert all(isinstance(one, ChatRelayed) for one in said), said
    return models.db.statements_run - before


@contextmanager
def locked(servers: Servers, sql: str, row_id: str) -> Iterator[None]:
    """Another session holds a row."""
    holder = psycopg2.connect(servers.database_url)
    holder.cursor().execute(sql, (row_id,))
    yield
    holder.rollback()
    holder.close()


@pytest.fixture
def proxy(servers: Servers) -> Iterator[FaultProxy]:
    (directory,) = parse_qs(urlsplit(servers.database_url).query)["host"]
    with FaultProxy(f"{directory}/.s.PGSQL.5432") as proxy:
        yield proxy


async def chat_behind(proxy: FaultProxy, models: Models, call: Call) -> tuple[Db, CallChat]:
    """A chat on its own connection through the proxy, which knows the statements already."""
    db = await Db.open(f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres", size=1)
    chat = CallChat(db, models.clock, models.config, models.broadcasts)
    said = await at_once(
        chat.say(call, call.caller_id, "a0", "hi"), chat.say(call, call.callee_id, "b0", "hi")
    )
    assert all(isinstance(one, ChatRelayed) for one in said)
    return db, chat


async def are_stored(models: Models, number: int) -> bool:
    return await rows(models, "select count(*) from call_messages") == [(number,)]


async def test_lines_of_two_sockets_in_one_tick_cost_one_statement(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    seats = [cast(RelaySocket, seat) for seat in site.site.hub.seats[scene.call_id].values()]
    frames = [
        msgspec.json.encode({"type": "chat:message", "id": seat.side, "text": f"by the {seat.side}"})
        for seat in seats
    ]
    before = site.models.db.statements_run
    works = [seat.on_message(frame) for seat, frame in zip(seats, frames, strict=True)]
    await asyncio.gather(*(work for work in works if work is not None))
    mine = await scene.a.receive("chat:message", id="caller")
    theirs = await scene.b.receive("chat:message", id="callee")
    assert (mine["text"], theirs["text"]) == ("by the caller", "by the callee")
    assert (await scene.a.receive("chat:message"))["text"] == "by the callee"
    assert (await scene.b.receive("chat:message"))["text"] == "by the caller"
    assert site.models.db.statements_run - before == 1


async def test_lines_of_many_calls_in_one_tick_cost_one_statement(models: Models, person: MakePerson) -> None:
    calls = await calls_of(models, person, 3)
    say = models.chat.say
    lines = [say(call, user, "1", "hi") for call in calls for user in (call.caller_id, call.callee_id)]
    assert await cost(models, *lines) == 1
    assert await cost(models, say(calls[0], calls[0].caller_id, "2", "hi")) == 1


async def test_more_lines_than_fit_into_one_statement_cost_several(
    models: Models, person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_TOGETHER", 2)
    chat = CallChat(models.db, models.clock, models.config, models.broadcasts)
    calls = await calls_of(models, person, 3)
    lines = [chat.say(call, user, "1", "hi") for call in calls for user in (call.caller_id, call.callee_id)]
    assert await cost(models, *lines) == 3


async def test_lines_count_the_same_together_as_alone(models: Models, person: MakePerson) -> None:
    stand_still(models)
    one, other = await calls_of(models, person, 2)
    for number in range(3):
        await asyncio.gather(
            models.chat.say(one, one.caller_id, str(number), "hi"),
            models.chat.say(one, one.callee_id, str(number), "hi"),
        )
        await models.chat.say(other, other.caller_id, str(number), "hi")
        await models.chat.say(other, other.callee_id, str(number), "hi")
    await asyncio.gather(
        models.chat.say(one, one.caller_id, "3", "hi"), models.chat.say(other, other.caller_id, "3", "hi")
    )
    assert await rows(models, LIMITS, one.call_id) == await rows(models, LIMITS, other.call_id)
    assert (await rows(models, LIMITS, one.call_id))[0][:2] == (4, 3)


@pytest.mark.parametrize("is_one_rejected", [True, False])
async def test_each_line_of_a_tick_has_its_own_outcome(
    make_site: MakeSite, person: MakePerson, is_one_rejected: bool
) -> None:
    """PostgreSQL rejects a client id that is too long; then all lines are stored one by one."""
    models = (await make_site(chat_messages_per_call=45)).models
    stand_still(models)
    full, fast, over, live = await calls_of(models, person, 4)
    say = models.chat.say
    await rows(models, "update calls set caller_lines = 45 where call_id = %s", full.call_id)
    for number in range(40):
        await say(fast, fast.caller_id, str(number), "hi")
    before = await say(over, over.caller_id, "before", "hi")
    await models.calls.hang_up(over.call_id)
    count = models.db.statements_run
    said = await at_once(
        say(full, full.caller_id, "1", "one too many"),
        say(fast, fast.caller_id, "40", "too fast"),
        say(over, over.callee_id, "1", "too late"),
        say(over, over.caller_id, "before", "a repeat"),
        say(live, live.callee_id, "x" * 65 if is_one_rejected else "1", "hi"),
        say(live, live.caller_id, "1", "hi"),
        say(full, full.callee_id, "1", "within his own limit"),
    )
    assert [type(one) for one in said[:3]] == [TooMany, TooMany, Conflict]
    assert (said[0].retry_after, said[1].retry_after) == (full.agreed_seconds, 1)
    assert said[3] == before
    assert isinstance(said[4], UniqueViolation if is_one_rejected else ChatRelayed)
    assert [one.text for one in said[5:]] == ["hi", "within his own limit"]
    # Together; alone, those that are not new or are refused, and the reasons of those that are refused.
    assert models.db.statements_run - count == 1 + (7 if is_one_rejected else 4) + 3


async def test_lines_of_one_tick_and_of_the_next_are_in_order(models: Models, person: MakePerson) -> None:
    _, _, call = await begun(models, person)
    expected = []
    for number in range(12):
        sides = [(call.caller_id, f"a{number}"), (call.callee_id, f"b{number}")]
        if number % 2:
            sides.reverse()
        await asyncio.gather(*(models.chat.say(call, user, name, "hi") for user, name in sides))
        expected += [(name,) for _, name in sides]
    assert await rows(models, STORED) == expected


async def test_a_second_line_of_one_side_comes_after_the_first(models: Models, person: MakePerson) -> None:
    _, _, call = await begun(models, person)
    for number in range(8):
        say = models.chat.say
        names = (f"{number} first", f"{number} second")
        await asyncio.gather(
            *(say(call, call.caller_id, name, "hi") for name in names),
            say(call, call.callee_id, str(number), "hi"),
            # A repeat in the same tick is the same line.
            say(call, call.caller_id, names[0], "hi"),
        )
    stored = [name for (name,) in await rows(models, STORED) if " " in name]
    assert stored == [f"{number} {place}" for number in range(8) for place in ("first", "second")]


@pytest.mark.parametrize("row", ["calls where call_id", "users where user_id"])
async def test_a_locked_row_delays_its_own_line_alone(
    models: Models, servers: Servers, person: MakePerson, row: str
) -> None:
    mine, other = await calls_of(models, person, 2)
    row_id = mine.call_id if row.startswith("calls") else mine.caller_id
    waiting = asyncio.create_task(models.chat.say(mine, mine.caller_id, "1", "hi"))
    with locked(servers, f"select from {row} = %s for update", row_id):
        async with asyncio.timeout(within(1)):
            await models.chat.say(other, other.caller_id, "1", "hi")
        assert not waiting.done()
    assert (await waiting).id == "1"
    assert await are_stored(models, 2)


async def test_the_last_lines_are_accepted_once_for_each_side_on_two_processes(
    make_site: MakeSite, person: MakePerson
) -> None:
    near, far = [(await make_site(chat_messages_per_call=5)).models for _ in range(2)]
    calls = await calls_of(near, person, 3)
    for number in range(8):
        await at_once(
            *(
                models.chat.say(call, user, f"{place}{number}", "hi")
                for place, models in enumerate((near, far))
                for call in calls
                for user in (call.caller_id, call.callee_id)
            )
        )
    counted = "select count(*) from call_messages group by call_id, sender_id"
    assert await rows(near, counted) == [(5,)] * 6


async def test_a_line_and_its_repeat_in_ticks_of_two_processes_are_one(
    make_site: MakeSite, person: MakePerson
) -> None:
    near, far = [(await make_site()).models for _ in range(2)]
    (call,) = await calls_of(near, person, 1)
    users = (call.caller_id, call.callee_id)
    for number in range(15):
        said = await at_once(
            *(models.chat.say(call, user, str(number), "hi") for models in (near, far) for user in users)
        )
        assert said[:2] == said[2:]
    assert await are_stored(near, 30)


async def test_in_an_outage_every_line_of_the_tick_fails_and_a_repeat_finds_it(
    proxy: FaultProxy, models: Models, person: MakePerson
) -> None:
    _, _, call = await begun(models, person)
    db, chat = await chat_behind(proxy, models, call)
    sides = {"a": call.caller_id, "b": call.callee_id}
    with proxy.fault("refused"):
        lost = await at_once(*(chat.say(call, user, f"{name}1", "hi") for name, user in sides.items()))
    assert [type(one) for one in lost] == [Unavailable, Unavailable]
    await at_once(*(chat.say(call, user, f"{name}1", "hi") for name, user in sides.items()))
    proxy.hold_answers()
    lines = [asyncio.create_task(chat.say(call, user, f"{name}2", "hi")) for name, user in sides.items()]
    await until(lambda: are_stored(models, 6))
    proxy.cut()
    assert [type(one) for one in await at_once(*lines)] == [Unavailable, Unavailable]
    again = await at_once(*(chat.say(call, user, f"{name}2", "hi") for name, user in sides.items()))
    assert [one.id for one in again] == ["a2", "b2"]
    assert await are_stored(models, 6)
    await db.close()


@pytest.mark.parametrize("is_sent", [True, False])
async def test_a_cancelled_line_does_not_lose_the_others(
    proxy: FaultProxy, models: Models, person: MakePerson, is_sent: bool
) -> None:
    first, second = await calls_of(models, person, 2)
    db, chat = await chat_behind(proxy, models, first)
    calls = ((first, "caller"), (first, "callee"), (second, "caller"))
    if is_sent:
        proxy.hold_answers()
    before = db.statements_run
    lines = [
        asyncio.create_task(chat.say(call, getattr(call, f"{side}_id"), "1", "hi")) for call, side in calls
    ]
    if is_sent:
        await until(lambda: are_stored(models, 5))
        lines[0].cancel()
        proxy.hold_answers(is_held=False)
    else:
        # At the end of the tick in which the lines came.
        asyncio.get_running_loop().call_soon(lines[0].cancel)
    said = await at_once(*lines)
    assert [type(one) for one in said] == [asyncio.CancelledError, ChatRelayed, ChatRelayed]
    assert db.statements_run - before == 1
    await db.close()


async def test_a_process_that_ends_stores_and_answers_the_lines_it_has_sent(
    proxy: FaultProxy, models: Models, person: MakePerson
) -> None:
    _, _, call = await begun(models, person)
    db, chat = await chat_behind(proxy, models, call)
    proxy.hold_answers()
    lines = [
        asyncio.create_task(chat.say(call, user, "1", "hi")) for user in (call.caller_id, call.callee_id)
    ]
    await until(lambda: are_stored(models, 4))
    closing = asyncio.create_task(db.close())
    proxy.hold_answers(is_held=False)
    assert [(await one).id for one in lines] == ["1", "1"]
    await closing
