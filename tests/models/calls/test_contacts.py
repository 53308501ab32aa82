"""Contacts: shared by both or neither, once, without revealing who refused."""

from __future__ import annotations

import asyncio

import pytest

from models.calls.call import Call
from models.wiring import Models
from tests.conftest import MakePerson, Running
from tests.support.people.reports import report
from tests.support.scenes import InCall, advance, freeze, in_call, rows


async def ready(site: Running, person: MakePerson) -> tuple[InCall, Call]:
    scene = await in_call(site, person)
    anna, ben = scene.people.anna, scene.people.ben
    await site.models.users.update(anna.user_id, handles={"instagram": "anna.sky", "x": "anna"})
    await site.models.users.update(ben.user_id, handles={"discord": "ben"})
    return scene, await site.models.calls.get(scene.call_id)


async def said(models: Models) -> int:
    return int((await rows(models, "select count(*) from contacts where handles is not null"))[0][0])


async def test_agreement_of_both_is_sent_to_both_on_both_sockets(site: Running, person: MakePerson) -> None:
    scene, _ = await ready(site, person)
    scene.a.send("contacts:share", yes=True)
    assert "contacts:shared" not in await scene.b.quiet()
    scene.b.send("contacts:share", yes=True)
    for socket in (scene.a, scene.people.a):
        told = await socket.receive("contacts:shared")
        assert told == {"type": "contacts:shared", "callId": scene.call_id, "handles": {"discord": "ben"}}
    for socket in (scene.b, scene.people.b):
        told = await socket.receive("contacts:shared")
        assert told["handles"] == {"instagram": "anna.sky", "x": "anna"}


async def test_a_no_looks_like_no_answer(site: Running, person: MakePerson) -> None:
    scene, _ = await ready(site, person)
    scene.a.send("contacts:share", yes=True)
    scene.b.send("contacts:share", yes=False)
    scene.b.send("ping", id="after")
    await scene.b.receive("pong", id="after")
    for socket in (scene.a, scene.b, scene.people.a, scene.people.b):
        assert "contacts:shared" not in await socket.quiet()
    assert await said(site.models) == 0


async def test_simultaneous_agreements_share_once(site: Running, person: MakePerson) -> None:
    scene, call = await ready(site, person)
    say = site.models.contacts.say
    people = [scene.people.anna, scene.people.ben] * 4
    await asyncio.gather(*(say(call, one.user_id, is_yes=True) for one in people))
    await scene.a.receive("contacts:shared")
    assert "contacts:shared" not in await scene.a.quiet()
    assert await said(site.models) == 2


async def test_an_answer_can_be_changed_until_contacts_are_shared(site: Running, person: MakePerson) -> None:
    scene, call = await ready(site, person)
    say, anna, ben = site.models.contacts.say, scene.people.anna.user_id, scene.people.ben.user_id
    await say(call, anna, is_yes=True)
    await say(call, anna, is_yes=False)
    await say(call, ben, is_yes=True)
    assert await said(site.models) == 0
    await say(call, anna, is_yes=True)
    await say(call, anna, is_yes=False)
    assert await said(site.models) == 2


async def test_answers_are_accepted_for_a_day_after_the_call(site: Running, person: MakePerson) -> None:
    freeze(site)
    scene, _ = await ready(site, person)
    await scene.end()
    call = await site.models.calls.get(scene.call_id)
    anna, ben = scene.people.anna.user_id, scene.people.ben.user_id
    advance(24 * 3600 - 1, site)
    await site.models.contacts.say(call, anna, is_yes=True)
    page = await site.models.call_pages.of(scene.call_id, anna)
    assert site.models.contacts.sharing(page).is_open
    advance(2, site)
    await site.models.contacts.say(call, ben, is_yes=True)
    assert await said(site.models) == 0
    assert not site.models.contacts.sharing(page).is_open


@pytest.mark.parametrize("how", ["block", "report"])
async def test_a_block_or_a_report_prevents_sharing(site: Running, person: MakePerson, how: str) -> None:
    """In either direction, and whichever side agreed before."""
    scene, call = await ready(site, person)
    anna, ben = scene.people.anna.user_id, scene.people.ben.user_id
    await site.models.contacts.say(call, anna, is_yes=True)
    if how == "block":
        await site.models.blocks.block(anna, ben)
    else:
        await report(site.models, scene.people.anna, scene.people.ben)
    await site.models.contacts.say(call, ben, is_yes=True)
    assert await said(site.models) == 0


async def test_later_changes_of_handles_are_not_shared(site: Running, person: MakePerson) -> None:
    scene, call = await ready(site, person)
    anna, ben = scene.people.anna.user_id, scene.people.ben.user_id
    for one in (anna, ben):
        await site.models.contacts.say(call, one, is_yes=True)
    await site.models.users.update(ben, handles={"discord": "", "x": "ben_new"})
    shared = await site.models.contacts.shared_with(anna, [scene.call_id])
    assert shared == {scene.call_id: {"discord": "ben"}}
    again = await site.relay(scene.people.anna, scene.call_id)
    assert (await again.receive("contacts:shared"))["handles"] == {"discord": "ben"}
