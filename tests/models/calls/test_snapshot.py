"""The snapshot of a seat: the peer, the lines, and only contacts that were shared with it."""

from __future__ import annotations

from models.calls.call import Call
from models.calls.rows import CallRows
from models.calls.snapshot import Snapshot
from models.calls.state import Side
from tests.conftest import MakePerson, Running
from tests.support.scenes import in_call


async def snapshot(site: Running, call: Call, side: Side) -> Snapshot:
    return await CallRows(site.models.db, site.config).snapshot(call, side)


async def test_each_side_gets_its_peer_and_the_lines(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    models, anna, ben = site.models, scene.people.anna.user_id, scene.people.ben.user_id
    call = await models.calls.get(scene.call_id)
    await models.chat.say(call, anna, "1", "first")
    await models.chat.say(call, ben, "1", "second")
    sides: tuple[Side, Side] = ("caller", "callee")
    seen = {side: await snapshot(site, call, side) for side in sides}
    assert seen["caller"].peer == await models.users.person(ben)
    assert seen["callee"].peer == await models.users.person(anna)
    for view in seen.values():
        assert view.messages == await models.chat.of_call(scene.call_id)
        assert [line.text for line in view.messages] == ["first", "second"]


async def test_contacts_are_included_only_once_both_have_agreed(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    models, anna, ben = site.models, scene.people.anna.user_id, scene.people.ben.user_id
    await models.users.update(ben, handles={"discord": "ben"})
    call = await models.calls.get(scene.call_id)
    await models.contacts.say(call, ben, is_yes=True)
    assert (await snapshot(site, call, "caller")).shared is None
    await models.contacts.say(call, anna, is_yes=True)
    assert (await snapshot(site, call, "caller")).shared == {"discord": "ben"}
    assert (await snapshot(site, call, "callee")).shared == {}


async def test_a_deleted_peer_is_none(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    call = await site.models.calls.get(scene.call_id)
    await site.models.deletions.delete(scene.people.ben.user_id)
    assert (await snapshot(site, call, "caller")).peer is None
    assert (await snapshot(site, call, "callee")).peer is not None
