"""The queue: who is listed for whom, in which order, in pages."""

from __future__ import annotations

import pytest

from models.errors import Invalid
from models.room.queue import MOST
from models.wiring import Models
from tests.conftest import MakePerson, Person, Running
from tests.support.factories import cooldown, report_row
from tests.support.scenes import advance, block, freeze, listed, rows, two


async def ids_of(models: Models, viewer: str, cursor: str | None = None, limit: int = 20) -> list[str]:
    return [card.user_id for card in (await models.queue.page(viewer, cursor, limit)).cards]


async def seen_by(site: Running, person: Person) -> list[str]:
    answer = await site.client.get("/room/queue", token=person.token)
    return [card["userId"] for card in answer.json["users"]]


async def test_a_page_has_the_requested_number_of_cards(models: Models) -> None:
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
async def test_a_malformed_cursor_is_rejected(models: Models, cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        await models.queue.page("00000000-0000-4000-8000-000000000000", cursor)
    assert refused.value.fields
    assert set(refused.value.fields) == {"cursor"}


async def test_users_do_not_see_themselves_or_users_whom_they_cannot_call(
    site: Running, person: MakePerson
) -> None:
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
        await block(site.models, people[one], people[other])
    for one, other in pairs["reports"]:
        await report_row(site.models, people[one], people[other])
    shown = set(await seen_by(site, anna))
    assert people["Stranger"].user_id in shown
    hidden = [
        people[name].user_id for name in ("Anna", "Blocks", "Blocked", "Reports", "Reported", "Unjoined")
    ]
    assert not shown & set(hidden)
    # And in the other direction, but not for other users.
    for name in ("Blocks", "Blocked", "Reports", "Reported"):
        assert anna.user_id not in await seen_by(site, people[name])
    assert anna.user_id in await seen_by(site, people["Stranger"])


async def test_users_on_cooldown_come_last_with_the_remaining_time(site: Running, person: MakePerson) -> None:
    freeze(site)
    anna = await person("Anna")
    cooling, fresh = [await person(f"C{n}") for n in range(3)], [await person(f"F{n}") for n in range(3)]
    for one in [*cooling, *fresh]:
        await site.invites(one)
        advance(1, site)
    for minutes, one in zip((30, 10, 20), cooling, strict=True):
        await cooldown(site.models, anna, one, minutes=minutes)
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


async def test_busy_users_are_not_listed_until_they_are_free(site: Running, person: MakePerson) -> None:
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


async def test_callers_of_the_doctor_are_on_no_card_and_robots_are_labelled(
    site: Running, person: MakePerson
) -> None:
    people = {kind: await person(kind) for kind in ("person", "robot", "probe")}
    for kind, one in people.items():
        await site.invites(one)
        await rows(site.models, "update users set kind = %s where user_id = %s", kind, one.user_id)
    viewer = await person("Viewer")
    answer = await site.client.get("/room/queue", token=viewer.token)
    labels = {card["name"]: card.get("isRobot") for card in answer.json["users"]}
    assert labels == {"person": None, "robot": True}
