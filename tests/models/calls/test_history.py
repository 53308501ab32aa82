"""History: both users read the same row, newest first, in pages; other users read nothing."""

from __future__ import annotations

import pytest

from models.calls.history import PAGE
from models.errors import Invalid
from models.profiles.decoded import Decoded
from models.wiring import Models
from tests.conftest import MakePerson, Person, jpeg
from tests.support.factories import ended_call, line
from tests.support.scenes import block, rows


async def past_call(models: Models, one: Person, other: Person, minutes: float) -> str:
    return await ended_call(models, one, other, minutes_ago=minutes, ms=1999)


async def test_only_the_two_users_see_a_call(models: Models, person: MakePerson) -> None:
    anna, ben, cleo = await person("Anna"), await person("Ben"), await person("Cleo")
    call_id = await past_call(models, anna, ben, 1)
    for one, other in ((anna, ben), (ben, anna)):
        (call,) = (await models.history.page(one.user_id)).calls
        assert call.partner is not None
        assert (call.call_id, call.partner.user_id, call.connected_seconds) == (call_id, other.user_id, 1)
    assert (await models.history.page(cleo.user_id)).calls == []


async def test_a_new_selfie_is_not_shown_to_a_blocked_user(models: Models, person: MakePerson) -> None:
    anna, ben, cleo = await person("Anna"), await person("Ben"), await person("Cleo")
    calls = {one: await past_call(models, anna, one, 1) for one in (ben, cleo)}
    await block(models, anna, ben)

    async def shown(viewer: Person) -> list[str | None]:
        (call,) = (await models.history.page(viewer.user_id)).calls
        peer = (await models.call_pages.of(calls[viewer], viewer.user_id)).peer
        assert call.partner is not None
        assert peer is not None
        return [call.partner.selfie_url, peer.selfie_url]

    assert None not in await shown(ben)
    await models.selfies.keep(anna.user_id, Decoded(jpeg()))
    assert await shown(ben) == [None, None]
    assert None not in await shown(cleo)


async def test_pages_have_no_gaps_or_repeats(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    # In both roles, newest first, with several at the same instant.
    ids = [
        await past_call(models, *((anna, ben) if number % 3 else (ben, anna)), number // 4)
        for number in range(2 * PAGE + 7)
    ]
    await rows(models, "update calls set started_at = date_trunc('minute', started_at)")
    got, cursor, sizes = [], None, []
    while True:
        page = await models.history.page(anna.user_id, cursor)
        got += [call.call_id for call in page.calls]
        sizes.append(len(page.calls))
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sizes == [PAGE, PAGE, 7]
    assert len(set(got)) == len(got)
    assert set(got) == set(ids)
    started = [row[0] for row in await rows(models, "select started_at from calls order by started_at desc")]
    newest = await models.history.page(anna.user_id)
    assert [call.started_at for call in newest.calls] == started[:PAGE]


@pytest.mark.parametrize("number", [PAGE, PAGE + 1])
async def test_a_full_page_has_a_cursor_only_when_more_follows(
    models: Models, person: MakePerson, number: int
) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    for minutes in range(number):
        await past_call(models, anna, ben, minutes)
    assert ((await models.history.page(anna.user_id)).next_cursor is not None) is (number > PAGE)


async def test_a_live_call_is_not_in_the_history(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    new = models.calls.new("00000000-0000-4000-8000-000000000001", anna.user_id, ben.user_id, 60)
    assert (await models.outcomes.accept(new))[0] == "accepted"
    assert (await models.history.page(anna.user_id)).calls == []


async def test_lines_have_their_author(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    call_id = await past_call(models, anna, ben, 1)
    for who in (anna, ben):
        await line(models, call_id, who, f"by {who.name}")
    (call,) = (await models.history.page(ben.user_id)).calls
    assert [(line.text, line.is_mine) for line in call.messages] == [("by Anna", False), ("by Ben", True)]


async def test_a_deleted_partner_has_no_name(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    await past_call(models, anna, ben, 1)
    await models.deletions.delete(ben.user_id)
    assert (await models.history.page(anna.user_id)).calls[0].partner is None


@pytest.mark.parametrize(
    "cursor", ["x", "é", "MXx4", "\x00", "=" * 9, "MjAyNi0wMS0wMVQwMDowMDowMHx4", "a" * 400]
)
async def test_a_malformed_cursor_is_rejected(models: Models, cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        await models.history.page("00000000-0000-4000-8000-000000000000", cursor)
    assert set(refused.value.fields or {}) == {"cursor"}


async def test_a_page_costs_two_statements(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    for minutes in range(30):
        await past_call(models, anna, ben, minutes)
    before = models.db.statements_run
    await models.history.page(anna.user_id)
    assert models.db.statements_run - before == 2
