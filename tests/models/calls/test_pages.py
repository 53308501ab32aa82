"""The page of a call: for its two users, live and ended, in one statement."""

from __future__ import annotations

import pytest

from models.calls.pages import CallPage
from models.errors import NotFound
from models.wiring import Models
from tests.conftest import MakePerson
from tests.models.calls.test_calls import begin, connect
from tests.support.scenes import block


async def test_each_user_sees_the_other_and_strangers_see_nothing(models: Models, person: MakePerson) -> None:
    anna, ben, cleo = await person("Anna"), await person("Ben"), await person("Cleo")
    call = await begin(models, anna, ben)
    for one, other in ((anna, ben), (ben, anna)):
        before = models.db.statements_run
        page = await models.call_pages.of(call.call_id, one.user_id)
        assert models.db.statements_run - before == 1
        peer = await models.users.person(other.user_id)
        assert page == CallPage(call, peer, None, None, None, False)
    with pytest.raises(NotFound):
        await models.call_pages.of(call.call_id, cleo.user_id)


async def test_an_ended_call_has_cooldown_contacts_and_blocks(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    call = await begin(models, anna, ben)
    await connect(models, call)
    ended = await models.calls.hang_up(call.call_id)
    await models.users.update(ben.user_id, handles={"discord": "ben"})
    await models.contacts.say(ended, anna.user_id, is_yes=True)
    await models.contacts.say(ended, ben.user_id, is_yes=True)
    await block(models, anna, ben)
    mine, theirs = [await models.call_pages.of(call.call_id, one.user_id) for one in (anna, ben)]
    assert mine.call == theirs.call == ended
    assert mine.cooldown_until == theirs.cooldown_until is not None
    assert (mine.said, mine.shared, mine.is_blocked) == (True, {"discord": "ben"}, True)
    assert (theirs.said, theirs.shared, theirs.is_blocked) == (True, {}, False)


async def test_what_the_other_said_is_not_shown(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    call = await begin(models, anna, ben)
    await models.users.update(ben.user_id, handles={"discord": "ben"})
    await models.contacts.say(call, ben.user_id, is_yes=True)
    page = await models.call_pages.of(call.call_id, anna.user_id)
    assert (page.said, page.shared) == (None, None)


async def test_a_deleted_peer_is_none_and_shares_nothing(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    call = await begin(models, anna, ben)
    await models.users.update(ben.user_id, handles={"discord": "ben"})
    for one in (anna, ben):
        await models.contacts.say(call, one.user_id, is_yes=True)
    await models.deletions.delete(ben.user_id)
    page = await models.call_pages.of(call.call_id, anna.user_id)
    assert (page.peer, page.shared) == (None, None)
