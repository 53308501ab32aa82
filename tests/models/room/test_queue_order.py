"""The order of the queue: fair, page by page, without repeats or gaps."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

from models.wiring import Models
from tests.conftest import MakePerson, Running
from tests.support.scenes import listed, stand_still


async def ids_of(models: Models, viewer: str, cursor: str | None = None, limit: int = 20) -> list[str]:
    return [card.user_id for card in (await models.queue.page(viewer, cursor, limit)).cards]


async def test_users_are_shown_in_the_order_of_joining(models: Models) -> None:
    stand_still(models)
    people = []
    for _ in range(5):
        people += await listed(models, 1)
        models.clock.advance(seconds=1)
    viewer = (await listed(models, 1))[0]
    assert await ids_of(models, viewer) == people


async def test_the_least_recently_shown_come_first(models: Models) -> None:
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


async def test_page_two_has_no_repeats_and_no_gaps(models: Models) -> None:
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
        # In between, other users read pages, a new user comes, and time passes.
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


async def test_users_who_leave_and_come_back_are_listed_after_the_cursor(models: Models) -> None:
    stand_still(models)
    people = await listed(models, 3)
    (viewer,) = await listed(models, 1)
    page = await models.queue.page(viewer)
    models.clock.advance(seconds=1)
    assert not await models.presence.leave(f"s{people[0]}")
    assert await ids_of(models, viewer, page.cursor) == []
    models.clock.advance(seconds=1)
    await models.presence.join(f"s{people[0]}")
    models.clock.advance(seconds=1)
    assert await ids_of(models, viewer, page.cursor) == [people[0]]
    assert await ids_of(models, viewer, page.cursor) == []


async def test_unblocked_users_are_listed_after_the_cursor(models: Models) -> None:
    stand_still(models)
    (card,) = await listed(models, 1)
    (viewer,) = await listed(models, 1)
    page = await models.queue.page(viewer)
    models.clock.advance(seconds=1)
    await models.blocks.block(card, viewer)
    assert await ids_of(models, viewer, page.cursor) == []
    await models.blocks.unblock(card, viewer)
    assert await ids_of(models, viewer, page.cursor) == [card]


async def test_users_who_came_after_the_pages_instant_are_not_repeated(models: Models) -> None:
    """The instant is taken before the query, and the clocks of two processes differ a little."""
    now = stand_still(models)
    (viewer,) = await listed(models, 1)
    models.clock.freeze(now + timedelta(seconds=1))
    people = await listed(models, 1)
    models.clock.freeze(now)
    page = await models.queue.page(viewer)
    assert [card.user_id for card in page.cards] == people
    assert await ids_of(models, viewer, page.cursor) == []


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
    return {member.decode(): float(score) for member, score in zip(flat[::2], flat[1::2], strict=True)}


async def test_users_come_and_go_during_paging(site: Running, person: MakePerson) -> None:
    people = await listed(site.models, 45)
    anna = await person("Anna")
    first = await site.models.queue.page(anna.user_id)
    shown = {card.user_id for card in first.cards}
    leavers = [one for one in people if one not in shown][:10]
    await asyncio.gather(*(site.models.presence.leave(f"s{one}") for one in leavers))
    rest = await ids_of(site.models, anna.user_id, first.cursor, 50)
    assert shown | set(rest) == set(people) - set(leavers)
