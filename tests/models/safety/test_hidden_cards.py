"""A card hidden by reports leaves the screens of every process, and nothing else ends."""

from __future__ import annotations

import pytest

from tests.conftest import MakePerson, MakeSite, Person, Running
from tests.support.clients import Socket
from tests.support.people.reports import MODERATOR, report, reporters
from tests.support.scenes import rows


async def viewer_of(site: Running, person: MakePerson) -> tuple[Person, Socket]:
    """A user of this process whose screen shows every card."""
    viewer = await person("Viewer")
    socket = await site.invites(viewer)
    await site.client.get("/room/queue", token=viewer.token)
    return viewer, socket


@pytest.mark.parametrize("is_far", [False, True], ids=["same process", "other process"])
async def test_a_hidden_card_leaves_the_screens_of_every_process(
    site: Running, person: MakePerson, make_site: MakeSite, is_far: bool
) -> None:
    bad = await person("Kid")
    own = await site.invites(bad)
    place = await make_site() if is_far else site
    viewer, screen = await viewer_of(place, person)
    one, two = await reporters(site.models, person, bad, 2)
    await report(site.models, one, bad, "minor")
    await place.site.hub.feed.tick(with_count=False)
    await report(site.models, two, bad, "minor")
    await screen.receive("queue:update", left=[bad.user_id])
    listed = (await place.client.get("/room/queue", token=viewer.token)).json["users"]
    assert bad.user_id not in [card["userId"] for card in listed]
    own.send("ping", id="still here")
    await own.receive("pong", id="still here")


async def test_a_lost_event_is_made_up_for(site: Running, person: MakePerson) -> None:
    bad = await person("Kid")
    await site.invites(bad)
    _, screen = await viewer_of(site, person)
    async with site.models.db.transaction() as on:
        assert await site.models.hidden_cards.hide(bad.user_id, on=on)
    await site.models.sweep.once()
    await screen.receive("queue:update", left=[bad.user_id])


async def test_a_dismissal_shows_the_card_again(site: Running, person: MakePerson) -> None:
    bad, viewer = await person("Grown up"), await person("Viewer")
    await site.invites(bad)
    for one in await reporters(site.models, person, bad, 2):
        await report(site.models, one, bad, "minor")
    for filed in await site.models.report_reviews.queue():
        await site.models.report_reviews.judge(filed.report_id, MODERATOR, "dismissed")
    listed = (await site.client.get("/room/queue", token=viewer.token)).json["users"]
    assert bad.user_id in [card["userId"] for card in listed]


async def test_two_reporters_cannot_hide_every_card(site: Running, person: MakePerson) -> None:
    people = [await person(f"Grown up {number}") for number in range(5)]
    pair = await reporters(site.models, person, people[0], 2)
    for about in people:
        for one in pair:
            await report(site.models, one, about, "minor")
    hidden = "select name from users where card_hidden_at is not null order by name"
    assert await rows(site.models, hidden) == [("Grown up 0",), ("Grown up 1",), ("Grown up 2",)]
