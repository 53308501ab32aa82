"""Deletion: nothing of the user is left but what the protocol lists."""

from __future__ import annotations

import asyncio

import pytest

from models.errors import Invalid, NotAllowed, NotFound
from models.wiring import Models
from tests.conftest import MakePerson, Person, jpeg
from tests.support.factories import cooldown, ended_call, line, report_row
from tests.support.media.files import file_of
from tests.support.people.reports import met, report
from tests.support.scenes import block, rows, until

# Columns that may keep the id of a deleted user, with the reason.
STAYS = {
    "users.user_id": "the stub that the partner's history and the bookkeeping hang on",
    "calls.caller_id": "the call history of the other side, without a name",
    "calls.callee_id": "the call history of the other side, without a name",
    "invite_outcomes.caller_id": "goes after INVITE_DAYS, or with its call",
    "invite_outcomes.callee_id": "goes after INVITE_DAYS, or with its call",
    "reports.reporter_id": "the count against the other, until REPORT_DAYS",
    "reports.reported_id": "abuse control, until REPORT_DAYS",
    "media.owner_id": "what a report about them holds, until REPORT_DAYS after its decision",
    "report_lines.sender_id": "evidence against them, until REPORT_DAYS",
    "bans.user_id": "abuse control, until REPORT_DAYS after its end",
    "checkouts.user_id": "bookkeeping without personal data",
    "terms_acceptances.user_id": "evidence in a dispute about the payment",
    "invite_codes.owner_id": "friends came by it; it is stopped",
    "sessions.user_id": "ended; the row goes within minutes",
    "person_marks.user_id": "keyed hashes: REPORT_DAYS if reported; ADDRESS_DAYS if they met somebody",
    "tombstones.id": "so that no backup brings them back",
}


async def places_of(models: Models, user_id: str) -> set[str]:
    """Every column of every table that contains this id."""
    columns = await rows(
        models,
        "select table_name, column_name from information_schema.columns join information_schema.tables "
        "using (table_schema, table_name) where table_schema = 'public' and table_type = 'BASE TABLE' "
        "and data_type in ('uuid', 'text') and table_name not like '%%yoyo%%'",
    )
    found = set()
    for table, column in columns:
        if await rows(models, f'select 1 from "{table}" where "{column}"::text = %s limit 1', user_id):
            found.add(f"{table}.{column}")
    return found


async def full_life(models: Models, person: MakePerson) -> tuple[Person, Person]:
    """Ann with a row in every table with personal data, mostly shared with Bo."""
    ann, bo = await person("Ann"), await person("Bo")
    member = await models.sessions.find(ann.token)
    assert member
    await models.accounts.upgrade(member, "ann@example.com", "long enough a password", "192.0.2.1")
    await met(models, ann, bo)
    call_id = await ended_call(models, ann, bo)
    for one in (ann, bo):
        await line(models, call_id, one, f"a line of {one.name}")
        await models.contacts.say(await models.calls.get(call_id), one.user_id, is_yes=True)
    await report(models, bo, ann)
    await cooldown(models, ann, bo, hours=1)
    await block(models, ann, bo)
    await block(models, bo, ann)
    await models.address_bans.saw(ann.user_id, "192.0.2.1")
    await models.rate_limits.report(ann.user_id)
    await the_rest(models, ann, bo, await person("Cy", selfie=False))
    return ann, bo


async def the_rest(models: Models, ann: Person, bo: Person, cy: Person) -> None:
    """The other roles: callee, reporter, banned, payer, inviter, invited, introduced."""
    await ended_call(models, bo, ann)
    await report_row(models, ann, bo, "He sells soap.")
    await models.marks.saw(ann.user_id, "a device")
    for sql in (
        "insert into recovery_links values (%s, 'x', now()) on conflict do nothing",
        "insert into receipt_emails values (%s, 'a@example.com', 'a@example.com', now())",
        "insert into checkouts (attempt_id, user_id, kind, amount_cents, currency, state, created_at) "
        "values (gen_random_uuid(), %s, 'page', 1, 'usd', 'open', now())",
        "insert into bans (ban_id, user_id, rule, reason, created_at, lifted_at, lifted_reason) "
        "values (gen_random_uuid(), %s, 'spam', 'Adverts.', now(), now(), 'a mistake')",
        "insert into removals (user_id, kind, reason, removed_at) values (%s, 'video', 'A film.', now())",
        "insert into invite_codes (code, owner_id, uses_limit, created_at) "
        "values ('0123456789ABCDEF', %s, 4, now())",
        "insert into invite_code_uses values (%s, '0123456789ABCDEF', now())",
        "insert into age_proofs values (%s, 'https://age.example', now())",
        "insert into age_checks values (%s, 'x', 'n', 'v', now())",
    ):
        await rows(models, sql, ann.user_id)
    for newcomer, other, introducer in ((ann, bo, cy), (cy, ann, bo), (bo, cy, ann)):
        ids = newcomer.user_id, other.user_id, introducer.user_id
        await rows(models, "insert into introductions values (%s, %s, %s, now())", *ids)
        await rows(
            models,
            "insert into introduction_links values (%s, %s, %s, now() + interval '1 day')",
            f"long enough a link of {introducer.name}", introducer.user_id, other.user_id,
        )  # fmt: skip


async def test_the_fixture_fills_every_table_with_personal_data(models: Models, person: MakePerson) -> None:
    """A new table with personal data must be added here."""
    ann, _ = await full_life(models, person)
    columns = await rows(
        models,
        "select c.conrelid::regclass || '.' || a.attname from pg_constraint c join pg_attribute a "
        "on a.attrelid = c.conrelid and a.attnum = any(c.conkey) "
        "where c.confrelid = 'users'::regclass and c.contype = 'f'",
    )
    # A seat ends with the call, and only one user of a pair is in the low column.
    rest = {"live_seats.user_id", "cooldowns.low_id", "cooldowns.high_id"}
    assert {column for (column,) in columns} - await places_of(models, ann.user_id) <= rest


async def test_only_allowed_references_stay(models: Models, person: MakePerson) -> None:
    ann, bo = await full_life(models, person)
    before = await places_of(models, ann.user_id)
    assert {"accounts.user_id", "media.owner_id", "call_messages.sender_id", "guesses.subject"} <= before
    await models.deletions.delete(ann.user_id)
    after = await places_of(models, ann.user_id)
    assert after <= STAYS.keys()
    assert await rows(
        models, "select name, handles, selfie_id from users where user_id = %s", ann.user_id
    ) == [("Deleted", {}, None)]
    assert "call_messages.sender_id" in await places_of(models, bo.user_id)


async def test_no_media_or_chat_message_is_left(models: Models, person: MakePerson) -> None:
    ann, _ = await full_life(models, person)
    await models.deletions.delete(ann.user_id)
    held = "media_id in (select media_id from report_media)"
    assert await rows(models, f"select count(*) from media_chunks where not {held}") == [(1,)]
    assert await rows(models, f"select count(*) from media where {held} and detached_at is null") == [(0,)]
    assert await rows(models, "select text from call_messages") == [("a line of Bo",)]
    assert await rows(models, "select count(*) from contacts") == [(0,)]


async def test_the_call_history_of_the_other_side_has_no_name(models: Models, person: MakePerson) -> None:
    ann, bo = await full_life(models, person)
    await models.deletions.delete(ann.user_id)
    calls = (await models.history.page(bo.user_id)).calls
    assert [call.partner for call in calls] == [None, None]
    assert [line.text for call in calls for line in call.messages] == ["a line of Bo"]


async def test_the_address_is_free_and_the_session_is_over(models: Models, person: MakePerson) -> None:
    ann, bo = await full_life(models, person)
    assert await models.sessions.find(bo.token)
    await models.deletions.delete(ann.user_id)
    assert await models.sessions.find(ann.token) is None
    member = await models.sessions.find(bo.token)
    assert member
    await models.accounts.upgrade(member, "Ann@example.com", "long enough a password", "192.0.2.2")


async def test_deletion_needs_the_word_and_the_password_of_an_account(
    models: Models, person: MakePerson
) -> None:
    ann, bo = await full_life(models, person)
    (session_id,) = (
        await rows(
            models, "select session_id from sessions where user_id = %s and ended_at is null", ann.user_id
        )
    )[0]
    member = await models.sessions.again(session_id)
    assert member
    with pytest.raises(Invalid) as unsure:
        await models.deletions.delete_own(member, "delet", "long enough a password", "192.0.2.1")
    assert set(unsure.value.fields or {}) == {"confirm"}
    with pytest.raises(NotAllowed):
        await models.deletions.delete_own(member, "DELETE", "another long password", "192.0.2.1")
    assert await models.users.find(ann.user_id)
    await models.deletions.delete_own(member, " delete ", "long enough a password", "192.0.2.1")
    assert await models.users.find(ann.user_id) is None
    assert await models.users.find(bo.user_id)


@pytest.mark.parametrize("user_id", ["c0ffee00-1d2e-4f3a-8b4c-5d6e7f809112", "nobody"])
async def test_an_unknown_user_cannot_be_deleted(models: Models, user_id: str) -> None:
    with pytest.raises(NotFound):
        await models.deletions.delete(user_id)


async def test_rows_written_concurrently_are_deleted_by_the_next_sweep(
    models: Models, person: MakePerson
) -> None:
    ann, _ = await full_life(models, person)
    await models.deletions.delete(ann.user_id)
    (call_id,) = (await rows(models, "select call_id from calls"))[0]
    await line(models, call_id, ann, "a late line", "late")
    await models.deletions.finish()
    assert await rows(models, "select text from call_messages") == [("a line of Bo",)]


@pytest.mark.parametrize("first", ["accounts", "users"])
async def test_deletion_waits_for_a_running_ban_or_sign_in(
    models: Models, person: MakePerson, first: str
) -> None:
    """A transaction that has locked the account or the user locks the sessions next: a deletion must not hold
    them.
    """
    ann, _ = await full_life(models, person)
    async with models.db.transaction() as other:
        await other.link.execute(f"select from {first} where user_id = %s for update", (ann.user_id,))
        deleting = asyncio.create_task(models.deletions.delete(ann.user_id))
        await until(lambda: rows(models, "select 1 from pg_locks where not granted"))
        await models.sessions.end_others(ann.user_id, None, "banned", on=other)
    await deleting
    assert await models.users.find(ann.user_id) is None


async def test_a_selfie_uploaded_during_the_deletion_is_not_stored(
    models: Models, person: MakePerson
) -> None:
    ann, _ = await full_life(models, person)
    await models.deletions.delete(ann.user_id)
    with pytest.raises(NotFound):
        await models.selfies.save(ann.user_id, file_of(jpeg()))
    stored = "select 1 from media where owner_id = %s and detached_at is null"
    assert await rows(models, stored, ann.user_id) == []
