"""Backup, drop, restore: old sessions, the room, calls and the history go on where they were."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from handlers.commands import backups
from handlers.commands.cli import parse
from models.postgres.migrations import migrate
from models.processes.embedded import Embedded
from models.settings.config import Config
from tests.conftest import MakePerson, MakeSite, Person, Running, jpeg
from tests.support.people.account_holders import PASSWORD, upgraded
from tests.support.scenes import Two, in_call
from tests.support.servers import Servers


@pytest.fixture
def servers(place: Path) -> Iterator[Servers]:
    """A pair of its own, because its schema is dropped."""
    with Embedded.start(place / "data", durable=False) as embedded:
        migrate(embedded.database_url)
        yield Servers(embedded.database_url, embedded.redis_url)


def command(line: str, config: Config, servers: Servers) -> None:
    told: list[str] = []
    assert backups.run(parse(line.split()), config, servers.database_url, told.append) == 0, told


def drop(servers: Servers) -> None:
    with closing(psycopg2.connect(servers.database_url)) as connection, connection:
        connection.cursor().execute("drop schema public cascade; create schema public")


async def seen(site: Running, who: Person) -> dict[str, Any]:
    """Everything that the pages of this user show of the past."""
    me = (await site.client.get("/user/me", token=who.token)).json
    selfie = await site.client.get(me["selfieUrl"], token=who.token)
    assert (selfie.status, selfie.headers["Content-Type"]) == (200, "image/jpeg")
    history = await site.client.get("/history", token=who.token)
    return {"me": me, "selfie": selfie.body, "history": history.json}


async def test_the_journey_goes_on_after_a_restore(
    site: Running, make_site: MakeSite, person: MakePerson, config: Config, servers: Servers, tmp_path: Path
) -> None:
    first = await in_call(site, person)
    first.a.send("chat:message", text="Nice to meet you", id="1")
    await first.b.receive("chat:message")
    await first.end()
    holder = await upgraded(site, first.people.anna, "anna@example.com")
    anna, ben = holder.person, first.people.ben
    before = [await seen(site, who) for who in (anna, ben)]
    assert before[0]["history"]["calls"][0]["messages"][0]["text"] == "Nice to meet you"

    command(f"backup {tmp_path / 'backup'}", config, servers)
    drop(servers)
    assert (await site.client.get("/readyz")).status == 503
    command(f"restore {tmp_path / 'backup'}", config, servers)
    restarted = await make_site()
    assert (await restarted.client.get("/readyz")).status == 200
    assert [await seen(restarted, who) for who in (anna, ben)] == before

    cleo = await newcomer(restarted)
    room = Two(cleo, ben, await restarted.invites(cleo), await restarted.invites(ben))
    cards = (await restarted.client.get("/room/queue", token=cleo.token)).json["users"]
    assert ben.user_id in {card["userId"] for card in cards}
    call_id = await room.call()
    for who, partner in ((cleo, ben), (ben, cleo)):
        seat = await restarted.relay(who, call_id)
        assert (await seat.receive("call:state"))["peerUser"]["userId"] == partner.user_id
    seat.send("call:end")
    await seat.receive("call:end")
    calls = (await restarted.client.get("/history", token=ben.token)).json["calls"]
    assert [call["callId"] for call in calls] == [call_id, first.call_id]
    credentials = {"email": holder.email, "password": PASSWORD}
    assert (await restarted.client.post("/auth/login", credentials)).json["userId"] == anna.user_id


async def newcomer(site: Running) -> Person:
    """Signs up, is let in by the operator, takes a selfie."""
    form = {"name": "Cleo", "gender": "female", "adult": True}
    told = (await site.client.post("/auth/guest", form)).json
    cleo = Person(told["userId"], "Cleo", told["sessionToken"], "")
    await site.models.grants.grant(cleo.user_id, "comp", "test:cleo")
    taken = await site.client.upload("/media/selfie", "selfie", jpeg(), token=cleo.token)
    assert taken.status == 201
    return cleo
