"""`queue:update`: who gets arrivals and departures, in at most one frame per tick."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from handlers.realtime.queue_updates import QueueFeed
from models.broadcasts import Delivered
from tests.conftest import MakePerson, MakeSite, Person, Running
from tests.support.clients import Socket
from tests.support.scenes import two, until


@dataclass
class Online:
    """The part of presence that the feed uses."""

    number: int = 3

    async def online_users(self) -> int:
        return self.number


@dataclass
class Screen:
    frames: list[bytes] = field(default_factory=list)

    def send(self, frame: bytes) -> None:
        self.frames.append(frame)

    def told(self) -> list[dict[str, object]]:
        frames, self.frames = self.frames, []
        return [msgspec.json.decode(frame) for frame in frames]


def feed_of(*names: str) -> tuple[QueueFeed, dict[str, Screen], Online]:
    screens, online = {name: Screen() for name in names}, Online()
    feed = QueueFeed(online, lambda user_id: [screens[user_id]])  # type: ignore[arg-type]
    for name in names:
        feed.watch(name)
    return feed, screens, online


def page(*ids: str, more: bool = False, first: bool = True) -> Delivered:
    return Delivered(ids=list(ids), more=more, first=first)


def update(*left: str, more: bool = False, online: int = 3) -> dict[str, object]:
    return {"type": "queue:update", "left": list(left), "more": more, "onlineUsers": online}


async def test_an_arrival_is_sent_once_to_those_who_have_seen_all_cards() -> None:
    feed, screens, _ = feed_of("anna", "ben")
    feed.delivered("ben", page("x", more=True))
    for card in (b"+c", b"+d"):
        feed.change("", card)
    await feed.tick(with_count=False)
    assert screens["anna"].told() == [update(more=True)]
    assert screens["ben"].told() == []
    feed.change("", b"+e")
    await feed.tick(with_count=False)
    assert screens["anna"].told() == []
    feed.delivered("anna", page("c", "d", "e", first=False))
    feed.change("", b"+f")
    await feed.tick(with_count=False)
    assert screens["anna"].told() == [update(more=True)]


async def test_a_card_that_left_and_is_delivered_again_before_the_tick_stays() -> None:
    feed, screens, _ = feed_of("anna")
    feed.delivered("anna", page("c", "d"))
    for news in (b"-c", b"-d", b"+c"):
        feed.change("", news)
    feed.delivered("anna", page("c", first=False))
    await feed.tick(with_count=False)
    assert screens["anna"].told() == [update("d")]


async def test_changes_before_a_socket_joined_are_sent_when_it_joins() -> None:
    screen, joined = Screen(), []
    feed = QueueFeed(Online(), lambda _user_id: joined)  # type: ignore[arg-type]
    feed.delivered("anna", page("c", "d"))
    for news in (b"+e", b"-c"):
        feed.change("", news)
    await feed.tick(with_count=False)
    joined.append(screen)
    await feed.tick(with_count=False)
    assert screen.told() == []
    feed.join("anna")
    await feed.tick(with_count=False)
    assert screen.told() == [update("c", more=True)]
    feed.join("ben")
    await feed.tick(with_count=False)
    assert screen.told() == []


async def test_a_departure_is_sent_to_those_who_have_the_card() -> None:
    feed, screens, _ = feed_of("anna", "ben")
    feed.delivered("anna", page("c", "d"))
    feed.change("", b"-c")
    feed.change("", b"-d")
    feed.change("", b"-z")
    await feed.tick(with_count=False)
    assert screens["anna"].told() == [update("c", "d")]
    assert screens["ben"].told() == []
    feed.change("", b"-c")
    await feed.tick(with_count=False)
    assert screens["anna"].told() == []


async def test_leaving_and_returning_within_a_tick_is_sent_as_both() -> None:
    feed, screens, _ = feed_of("anna")
    feed.delivered("anna", page("c"))
    feed.change("", b"-c")
    feed.change("", b"+c")
    await feed.tick(with_count=False)
    assert screens["anna"].told() == [update("c", more=True)]


async def test_users_get_no_updates_about_themselves() -> None:
    feed, screens, _ = feed_of("anna")
    feed.change("", b"+anna")
    await feed.tick(with_count=False)
    assert screens["anna"].told() == []


async def test_the_arrival_of_a_card_already_shown_is_not_sent() -> None:
    feed, screens, _ = feed_of("anna")
    feed.delivered("anna", page("c"))
    feed.change("", b"+c")
    await feed.tick(with_count=False)
    assert screens["anna"].told() == []


async def test_the_number_online_is_sent_only_when_it_has_changed() -> None:
    feed, screens, online = feed_of("anna", "ben")
    await feed.tick(with_count=True)
    assert screens["anna"].told() == [update()]
    await feed.tick(with_count=True)
    online.number = 9
    await feed.tick(with_count=False)
    assert screens["anna"].told() == screens["ben"].told()[1:] == []
    feed.change("", b"+c")
    feed.delivered("ben", page("c", "e", more=True))
    await feed.tick(with_count=True)
    assert screens["anna"].told() == [update(more=True, online=9)]
    assert screens["ben"].told() == [update(more=True, online=9)]


async def test_a_user_who_left_is_forgotten() -> None:
    feed, screens, _ = feed_of("anna")
    feed.delivered("anna", page("c", "d"))
    feed.change("", b"-c")
    feed.forget("anna")
    feed.forget("anna")
    await feed.tick(with_count=True)
    assert screens["anna"].told() == []
    assert (feed._viewers, feed._watchers, feed._sated) == ({}, {}, set())


async def test_other_tasks_run_while_thousands_get_updates() -> None:
    feed, screens, online = feed_of(*[str(number) for number in range(1000)])
    online.number = 4
    telling = asyncio.ensure_future(feed.tick(with_count=True))
    turns = 0
    while not telling.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
    assert all(screen.told() == [update(online=4)] for screen in screens.values())


async def test_a_page_on_a_screen_takes_little_memory() -> None:
    """Thousands watch at once: a card's id is stored once, and a screen takes little memory."""
    people = [f"{number:032x}" for number in range(400)]
    feed, _, _ = feed_of(*people)
    tracemalloc.start()
    try:
        for at, name in enumerate(people):
            cards = [str(bytes(people[at - back], "ascii"), "ascii") for back in range(1, 21)]
            feed.delivered(name, page(*cards, more=True))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken / len(people) < 2000


async def get_page(site: Running, person: Person, cursor: str | None = None) -> list[str]:
    query = f"?cursor={cursor}" if cursor else ""
    answer = await site.client.get(f"/room/queue{query}", token=person.token)
    return [card["userId"] for card in answer.json["users"]]


async def ticked(site: Running, socket: Socket) -> list[dict[str, Any]]:
    """The queue updates that this socket has got by now."""
    socket.inbox.clear()
    await site.site.hub.feed.tick(with_count=False)
    await socket.quiet()
    return [message for message in socket.inbox if message["type"] == "queue:update"]


async def soon_told(
    site: Running, socket: Socket, is_all: Callable[[list[dict[str, Any]]], bool]
) -> list[dict[str, Any]]:
    """As `ticked`, for changes by another process, whose events take a moment."""
    told: list[dict[str, Any]] = []

    async def tick() -> bool:
        told.extend(await ticked(site, socket))
        return is_all(told)

    await until(tick)
    return told


async def test_a_ring_removes_both_from_every_screen_and_its_end_brings_them_back(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    far = await make_site()
    cleo = await person("Cleo")
    screen = await far.invites(cleo)
    await far.site.hub.feed.stop()
    pair = await two(site, person)
    first = await site.client.get("/room/queue?limit=1", token=cleo.token)
    cursor = first.json["nextCursor"]
    rest = await get_page(site, cleo, cursor)
    assert {first.json["users"][0]["userId"], *rest} == {pair.anna.user_id, pair.ben.user_id}
    await ticked(far, screen)
    await pair.ring()
    both = {pair.anna.user_id, pair.ben.user_id}
    told = await soon_told(far, screen, lambda told: {card for one in told for card in one["left"]} == both)
    assert {(one["more"], one["onlineUsers"]) for one in told} == {(False, 3)}
    pair.a.send("call:cancel", inviteId=await ring_of(site, pair.anna))
    await pair.b.receive("call:cancelled")
    assert await soon_told(far, screen, lambda told: bool(told)) == [
        {"type": "queue:update", "left": [], "more": True, "onlineUsers": 3}
    ]
    assert set(await get_page(site, cleo, cursor)) == {pair.anna.user_id, pair.ben.user_id}


async def ring_of(site: Running, person: Person) -> str:
    busy = await site.models.bus.command("get", f"ns:busy:{person.user_id}")
    return str(busy.decode().removeprefix("invite:"))


async def test_only_joined_sockets_get_queue_updates(site: Running, person: MakePerson) -> None:
    anna = await person("Anna")
    joined, other = await site.invites(anna), await site.invites(anna, join=False)
    await site.site.hub.feed.stop()
    await get_page(site, anna)
    await ticked(site, joined)
    await site.invites(await person("Ben"))
    assert len(await ticked(site, joined)) == 1
    assert "queue:update" not in await other.quiet()


async def test_updates_continue_after_any_error_of_redis(
    make_site: MakeSite, site: Running, person: MakePerson, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setattr("handlers.realtime.queue_updates.TICK_SECONDS", 0.01)
    far = await make_site()
    cleo = await person("Cleo")
    screen = await far.invites(cleo)
    # Not an outage: a key of the wrong type, as another program may leave it.
    await site.models.bus.command("rename", "ns:online", "kept")
    await site.models.bus.command("set", "ns:online", "1")
    await until(lambda: "the queue update failed" in caplog.messages)
    await site.models.bus.command("rename", "kept", "ns:online")
    await site.invites(await person("Ben"))
    assert (await screen.receive("queue:update", more=True))["more"]
