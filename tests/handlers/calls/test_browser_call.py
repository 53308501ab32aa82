"""What a whole call of two browsers costs, from the invite to the room: statements, counted by the server."""

from __future__ import annotations

import asyncio

from tests.conftest import MakePerson, Person, Running
from tests.support.scenes import InCall, advance, freeze, two, until

MOST_STATEMENTS = 30
LINES = 5
SECONDS = 40


async def open_page(site: Running, path: str, *people: Person) -> None:
    """A page as htmx and browsers ask for it, by each of them."""
    for one in people:
        headers = {"Accept": "text/html", "Cookie": f"session={one.token}"}
        assert (await site.client.get(path, headers=headers)).status == 200


async def chat(scene: InCall) -> None:
    for line in range(LINES):
        one, other = (scene.a, scene.b) if line % 2 == 0 else (scene.b, scene.a)
        one.send("chat:message", id=str(line), text=f"line {line}")
        await one.receive("chat:message", id=str(line))
        await other.receive("chat:message", text=f"line {line}")


async def test_a_whole_call_of_two_browsers_takes_at_most_thirty_statements(
    site: Running, person: MakePerson
) -> None:
    freeze(site)
    pair = await two(site, person)
    everyone = (pair.anna, pair.ben)
    before = site.models.db.statements_run
    call_id = await pair.call()
    path = f"/calls/{call_id}"
    await open_page(site, path, *everyone)
    seats = await asyncio.gather(*(site.relay(one, call_id) for one in everyone))
    for seat in seats:
        await seat.receive("call:state")
    scene = InCall(pair, call_id, *seats)
    await scene.connect()
    await chat(scene)
    advance(SECONDS, site)
    assert (await scene.end())["connectedSeconds"] == SECONDS
    await until(lambda: not site.site.hub.seats)
    await open_page(site, path, *everyone)
    await open_page(site, "/room", *everyone)
    taken = site.models.db.statements_run - before
    assert taken <= MOST_STATEMENTS, taken


async def test_opening_an_invite_socket_takes_two_statements_and_joining_one(
    site: Running, person: MakePerson
) -> None:
    """By token before the handshake; by session, with the live call, once subscribed to the user's events."""
    pair = await two(site, person)
    before = site.models.db.statements_run
    again = await site.invites(pair.anna)
    assert site.models.db.statements_run - before == 3
    again.close()


async def test_an_invite_takes_two_statements(site: Running, person: MakePerson) -> None:
    """Before the ring is opened, and once it is: with the caller's own rights."""
    pair = await two(site, person)
    before = site.models.db.statements_run
    await pair.ring()
    assert site.models.db.statements_run - before == 2
