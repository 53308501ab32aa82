"""The queue: who is listed for whom, in what order, a page at a time."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from models.errors import Invalid
from models.queue import MOST
from models.wiring import Models
from tests.conftest import MakePerson, Person, Running
from tests.stage import advance, freeze, rows, stand_still, two


async def listed(models: Models, number: int) -> list[str]:
    """So many people with a joined socket of no process's; in order of joining."""
    ids = [
        row[0]
        for row in await rows(
            models,
            "insert into users (user_id, name, gender, adult_at, created_at) "
            "select gen_random_uuid(), 'P' || n, 'female', now(), now() from generate_series(1, %s) n "
            "returning user_id::text",
            number,
        )
    ]
    await join(models, ids)
    return ids


async def join(models: Models, ids: list[str]) -> None:
    for number, user_id in enumerate(ids):
        await models.presence.open(user_id, f"s{user_id}", has_access=True)
        assert await models.presence.join(f"s{user_id}")
        if models.clock.frozen and number % 10 == 9:
            models.clock.advance(seconds=1)


async def ids_of(models: Models, viewer: str, cursor: str | None = None, limit: int = 20) -> list[str]:
    return [card.user_id for card in (await models.queue.page(viewer, cursor, limit)).cards]


async def seen_by(site: Running, person: Person) -> list[str]:
    answer = await site.client.get("/room/queue", token=person.token)
    return [card["userId"] for card in answer.json["users"]]


async def test_who_came_first_is_shown_first(models: Models) -> None:
    stand_still(models)
    people = []
    for _ in range(5):
        people += await listed(models, 1)
        models.clock.advance(seconds=1)
    viewer = (await listed(models, 1))[0]
    assert await ids_of(models, viewer) == people


async def test_those_least_recently_shown_come_first(models: Models) -> None:
    stand_still(models)
    people = await listed(models, 6)
    models.clock.advance(seconds=5)
    first, second = await listed(models, 2)
    models.clock.advance(seconds=5)
    shown = await ids_of(models, first, limit=3)
    models.clock.advance(seconds=5)
    page = await ids_of(models, second, limit=8)
    assert set(page[-3:]) == set(shown)
    assert set(page) == {*people, first}


async def test_a_viewer_counts_once_in_ten_minutes(models: Models) -> None:
    stand_still(models)
    (card,) = await listed(models, 1)
    (viewer,) = await listed(models, 1)
    times = []
    for _ in range(4):
        models.clock.advance(seconds=299)
        await ids_of(models, viewer)
        times.append(await models.bus.command("zscore", "ns:queue", card))
    assert times[0] == times[1] == times[2] < times[3]


async def test_page_two_never_repeats_page_one_and_misses_nobody(models: Models) -> None:
    stand_still(models)
    people = await listed(models, 57)
    (viewer,) = await listed(models, 1)
    others = await listed(models, 5)
    cursor, got = None, []
    while True:
        page = await models.queue.page(viewer, cursor)
        got += [card.user_id for card in page.cards]
        cursor = page.cursor
        if not page.has_more:
            break
        # Meanwhile others look too, somebody new comes, and time goes on.
        for other in others:
            await ids_of(models, other)
        models.clock.advance(seconds=1)
        if len(got) == 20:
            late = await listed(models, 1)
    assert len(got) == len(set(got)) == 57 + 5 + 1
    assert set(got) == {*people, *others, *late}


async def test_newcomers_come_after_what_is_on_the_screen(models: Models) -> None:
    stand_still(models)
    people = await listed(models, 3)
    (viewer,) = await listed(models, 1)
    page = await models.queue.page(viewer)
    assert {card.user_id for card in page.cards} == set(people)
    assert not page.has_more
    models.clock.advance(seconds=3)
    late = await listed(models, 2)
    models.clock.advance(seconds=3)
    assert set(await ids_of(models, viewer, page.cursor)) == set(late)
    assert await ids_of(models, viewer, page.cursor) == []


async def test_a_page_has_as_many_as_asked_for(models: Models) -> None:
    await listed(models, MOST + 5)
    (viewer,) = await listed(models, 1)
    for limit in (1, 2, 20, MOST):
        page = await models.queue.page(viewer, None, limit)
        assert (len(page.cards), page.has_more, page.online_users) == (limit, True, MOST + 6)


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "0",
        "====",
        "cTE6",
        "cTE6LTE",
        "cTI6MTIz",
        "cTE6MTIzeA",
        "cTE6wrI",
        "\x00",
        "cTE6MQ" * 50,
        "q1:1",
    ],
)
async def test_a_cursor_of_somebody_else_is_refused(models: Models, cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        await models.queue.page("00000000-0000-4000-8000-000000000000", cursor)
    assert refused.value.fields
    assert set(refused.value.fields) == {"cursor"}


async def test_nobody_sees_themselves_or_whom_they_cannot_call(site: Running, person: MakePerson) -> None:
    names = ["Blocks", "Blocked", "Reports", "Reported", "Stranger", "Unjoined"]
    anna = await person("Anna")
    people = {name: await person(name) for name in names}
    for name, one in people.items():
        await site.invites(one, join=name != "Unjoined")
    await site.invites(anna)
    pairs = {
        "blocks": [("Blocks", "Anna"), ("Anna", "Blocked")],
        "reports": [("Reports", "Anna"), ("Anna", "Reported")],
    }
    people["Anna"] = anna
    for one, other in pairs["blocks"]:
        values = people[one].user_id, people[other].user_id
        await rows(site.models, "insert into blocks values (%s, %s, now())", *values)
    for one, other in pairs["reports"]:
        values = people[one].user_id, people[other].user_id
        await rows(
            site.models,
            "insert into reports (report_id, reporter_id, reported_id, reason, created_at) "
            "values (gen_random_uuid(), %s, %s, 'spam', now())",
            *values,
        )
    shown = set(await seen_by(site, anna))
    assert people["Stranger"].user_id in shown
    hidden = [
        people[name].user_id for name in ("Anna", "Blocks", "Blocked", "Reports", "Reported", "Unjoined")
    ]
    assert not shown & set(hidden)
    # And the other way round, and not for somebody else.
    for name in ("Blocks", "Blocked", "Reports", "Reported"):
        assert anna.user_id not in await seen_by(site, people[name])
    assert anna.user_id in await seen_by(site, people["Stranger"])


async def test_those_on_cooldown_come_last_with_the_time_left(site: Running, person: MakePerson) -> None:
    freeze(site)
    anna = await person("Anna")
    cooling, fresh = [await person(f"C{n}") for n in range(3)], [await person(f"F{n}") for n in range(3)]
    for one in [*cooling, *fresh]:
        await site.invites(one)
        advance(1, site)
    for minutes, one in zip((30, 10, 20), cooling, strict=True):
        low, high = sorted([anna.user_id, one.user_id])
        until_ = "insert into cooldowns values (%s, %s, %s::timestamptz + %s * interval '1 minute')"
        await rows(site.models, until_, low, high, site.models.clock.now(), minutes)
    cards = (await site.client.get("/room/queue", token=anna.token)).json["users"]
    assert [card["userId"] for card in cards[:3]] == [one.user_id for one in fresh]
    assert [card["userId"] for card in cards[3:]] == [cooling[n].user_id for n in (1, 2, 0)]
    assert all("cooldownUntil" not in card for card in cards[:3])
    assert [card["cooldownUntil"] for card in cards[3:]] == sorted(
        card["cooldownUntil"] for card in cards[3:]
    )
    advance(601, site)
    cards = (await site.client.get("/room/queue", token=anna.token)).json["users"]
    assert [card["userId"] for card in cards if "cooldownUntil" in card] == [
        cooling[n].user_id for n in (2, 0)
    ]


async def test_who_rings_or_is_in_a_call_is_not_listed_and_comes_back(
    site: Running, person: MakePerson
) -> None:
    pair = await two(site, person)
    cleo = await person("Cleo")
    both = {pair.anna.user_id, pair.ben.user_id}
    assert set(await seen_by(site, cleo)) == both
    invite_id = await pair.ring()
    assert await seen_by(site, cleo) == []
    pair.b.send("call:accept", inviteId=invite_id, requestedSeconds=300)
    call_id = (await pair.b.receive("call:start"))["callId"]
    assert await seen_by(site, cleo) == []
    await site.models.calls.hang_up(call_id)
    assert set(await seen_by(site, cleo)) == both


async def test_a_page_costs_the_same_with_three_and_with_three_hundred(
    site: Running, person: MakePerson
) -> None:
    anna = await person("Anna")
    costs = []
    for number in (3, 297):
        await listed(site.models, number)
        before = site.models.db.statements_run
        answer = await site.client.get("/room/queue", token=anna.token)
        costs.append(site.models.db.statements_run - before)
        assert len(answer.json["users"]) == min(number, 20)
    assert costs[0] == costs[1] == 3


async def test_sixty_people_are_shown_about_equally_often(models: Models) -> None:
    stand_still(models)
    people = await listed(models, 60)
    shown = dict.fromkeys(people, 0)
    chance = random.Random(7)
    for _ in range(400):
        models.clock.advance(seconds=chance.randrange(1, 30))
        viewer = chance.choice(people)
        before = await _scores(models)
        await ids_of(models, viewer)
        for user_id, score in (await _scores(models)).items():
            shown[user_id] += score != before[user_id]
    counts = sorted(shown.values())
    assert counts[0] > 0
    assert counts[-1] <= counts[0] * 1.5 + 4, counts


async def _scores(models: Models) -> dict[str, float]:
    flat: list[Any] = await models.bus.command("zrange", "ns:queue", 0, -1, "withscores")
    return {member.decode(): float(score) for member, score in flat}


async def test_people_come_and_go_while_somebody_pages(site: Running, person: MakePerson) -> None:
    people = await listed(site.models, 45)
    anna = await person("Anna")
    first = await site.models.queue.page(anna.user_id)
    shown = {card.user_id for card in first.cards}
    leavers = [one for one in people if one not in shown][:10]
    await asyncio.gather(*(site.models.presence.leave(f"s{one}") for one in leavers))
    rest = await ids_of(site.models, anna.user_id, first.cursor, 50)
    assert shown | set(rest) == set(people) - set(leavers)
