"""The audit log: append-only, one chain, in the transaction that it describes."""

from __future__ import annotations

import asyncio

import psycopg2
import pytest

from models.errors import Conflict, Invalid, NotFound
from models.ids import new_id
from models.safety.bans import NewBan
from models.security.audit_log import FIRST, NEWEST, PAGE, why
from models.wiring import Models
from tests.conftest import MakePerson
from tests.support.people.reports import MODERATOR, OTHER_MODERATOR
from tests.support.scenes import rows, stand_still


async def rows_of(models: Models) -> list[tuple[str, str, str, str]]:
    """Actor, action, target, reason; the oldest first."""
    page = await models.audit.page()
    return [(one.actor, one.action, one.target, one.reason) for one in reversed(page)]


async def forge(models: Models, sql: str, *values: object) -> None:
    """Changes rows as the owner of the database could, without the triggers."""
    async with models.db.transaction() as on:
        await on.link.execute("set local session_replication_role = replica")
        await on.link.execute(sql, values)


async def test_an_empty_log_is_intact(models: Models) -> None:
    found = await models.audit.verify()
    assert (found.rows, found.head, found.broken) == (0, FIRST, None)


async def test_concurrent_writes_form_one_chain(models: Models) -> None:
    words = "é \N{SNOWMAN} 1:2,3"
    await asyncio.gather(*(models.audit.note("operator", f"test.{n}", "user x", words) for n in range(20)))
    page = await models.audit.page()
    assert [one.seq for one in page] == list(range(20, 0, -1))
    found = await models.audit.verify()
    assert (found.rows, found.head, found.broken) == (20, page[0].hash, None)


async def test_no_row_can_be_changed_or_deleted(models: Models) -> None:
    await models.audit.note("operator", "test", "user x")
    for sql in ("update audit_log set reason = 'x'", "delete from audit_log", "truncate audit_log"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            await rows(models, sql)
    assert (await models.audit.verify()).rows == 1


@pytest.mark.parametrize(
    ("sql", "broken"),
    [
        ("update audit_log set reason = 'another' where seq = 2", 2),
        ("update audit_log set at = at + interval '1 microsecond' where seq = 3", 3),
        ("update audit_log set actor = 'user', target = 'operator x' where seq = 1", 1),
        ("delete from audit_log where seq = 2", 2),
        ("update audit_log set hash = sha256(hash) where seq = 4", 4),
    ],
)
async def test_the_first_broken_row_is_named(models: Models, sql: str, broken: int) -> None:
    for number in range(4):
        await models.audit.note("operator", f"test.{number}", "user x")
    assert (await models.audit.verify()).broken is None
    await forge(models, sql)
    found = await models.audit.verify()
    assert (found.broken, found.rows) == (broken, broken - 1)


async def write_and_fail(models: Models, user_id: str) -> None:
    async with models.db.transaction() as on:
        await models.audit.write(MODERATOR, "test", f"user {user_id}", on=on)
        raise RuntimeError


async def test_a_row_is_committed_with_its_action_or_not_at_all(models: Models, person: MakePerson) -> None:
    ben = await person("Ben")
    with pytest.raises(RuntimeError):
        await write_and_fail(models, ben.user_id)
    assert await rows_of(models) == []
    with pytest.raises(NotFound):
        await models.bans.decide(NewBan(user_id=new_id(), rule="spam", reason="No."), MODERATOR)
    assert await rows_of(models) == []


async def test_decisions_about_bans_are_logged(models: Models, person: MakePerson) -> None:
    ben = await person("Ben")
    stand_still(models)
    ban = await models.bans.decide(NewBan(user_id=ben.user_id, rule="spam", reason="Adverts."), MODERATOR)
    await models.bans.make_permanent(ban.ban_id, MODERATOR, "Still adverts.")
    await models.bans.lift(ban.ban_id, OTHER_MODERATOR, "Not them.")
    with pytest.raises(Conflict):
        await models.bans.lift(ban.ban_id, OTHER_MODERATOR, "Again.")
    target = f"user {ben.user_id}"
    assert await rows_of(models) == [
        (MODERATOR, "ban.permanent", target, "Adverts."),
        (MODERATOR, "ban.make_permanent", target, "Still adverts."),
        (OTHER_MODERATOR, "ban.lift", target, "Not them."),
    ]
    assert {one.at for one in await models.audit.page()} == {models.clock.now()}


async def test_codes_are_logged_without_the_code_itself(models: Models) -> None:
    code = (await models.admin_codes.create("Poster", 3)).code
    await models.admin_codes.stop(code, MODERATOR, "Lost.")
    written = await rows_of(models)
    assert [row[:2] + row[3:] for row in written] == [
        ("operator", "code.create", "Poster"),
        (MODERATOR, "code.stop", "Lost."),
    ]
    assert code not in str(written)
    assert code[-4:] in written[0][2]


async def test_pages_follow_each_other(models: Models) -> None:
    for number in range(PAGE + 2):
        await models.audit.note("operator", f"test.{number}", "user x")
    first = await models.audit.page(NEWEST)
    assert len(first) == PAGE
    assert [one.seq for one in await models.audit.page(first[-1].seq)] == [2, 1]
    assert (first[0].kind, first[0].target_id) == ("user", "x")


def test_a_reason_is_required() -> None:
    assert why(" Seen it. ") == "Seen it."
    for odd in ("", "   ", "x" * 501, "a\x00"):
        with pytest.raises(Invalid):
            why(odd)
