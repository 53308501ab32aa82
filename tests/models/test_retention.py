"""What has been kept long enough goes, what has not stays; every table has its time or its reason."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from models import retention
from models.profiles.decoded import Decoded
from models.wiring import Models
from tests.conftest import MakePerson, Person, jpeg
from tests.support.factories import cooldown, ended_call, line, older
from tests.support.people.reports import met, report
from tests.support.scenes import ban, rows, stand_still
from tests.test_house import ROOT

SWEPT = {
    "call_messages", "contacts", "reports", "bans", "appeals", "notices", "alerts",
    "invite_outcomes", "cooldowns", "sessions",
    "stripe_events", "guesses", "introduction_links", "recovery_links", "age_refusals", "calls",
    "report_frames", "report_lines", "seen_addresses", "address_bans", "staff_sessions",
    "banned_emails", "removals", "age_checks", "removed_pictures", "person_marks", "seen_devices",
    "hourly_figures",
}  # fmt: skip
KEPT = {
    "users": "the person; after a deletion an id without a name, for history and bookkeeping",
    "accounts": "with the person; guests who never came back are deleted",
    "recovery_codes": "with the account",
    "media": "with the person",
    "media_chunks": "with the media",
    "access_grants": "with the person: what they have paid for has no end",
    "checkouts": "bookkeeping, by law; without a name once the person is deleted",
    "terms_acceptances": "with the person; with a payment as long as that, as evidence in a dispute",
    "age_proofs": "with the person",
    "terms_texts": "no personal data",
    "refunds": "bookkeeping: amounts by the payment's number",
    "receipt_numbers": "the site's own",
    "receipt_emails": "with the person",
    "refund_attempts": "bookkeeping: amounts by the payment's number",
    "fraud_warnings": "bookkeeping: by the payment's number",
    "disputes": "bookkeeping: amounts by the payment's number",
    "invite_codes": "with the person; a number",
    "invite_code_uses": "with the person",
    "blocks": "with the two people, for as long as they want it",
    "decision_emails": "until they are delivered, three days at most; ids only",
    "picture_flags": "with the media",
    "report_additions": "with the report",
    "report_media": "with the report",
    "ban_reports": "with the ban and the report",
    "live_seats": "ends with the call",
    "introductions": "with the three people",
    "secrets": "the site's own",
    "processes": "the sweep buries those that have stopped",
    "staff": "the operator's people",
    "audit_log": "only ever added to: ids and the words of the staff",
    "tombstones": "random ids; as long as there may be a backup",
}


async def test_every_table_is_swept_or_kept_for_a_reason(models: Models) -> None:
    found = await rows(
        models,
        "select tablename from pg_tables where schemaname = 'public' and tablename not like '%%yoyo%%'",
    )
    assert {table for (table,) in found} == SWEPT | KEPT.keys()
    assert not SWEPT & KEPT.keys()
    files = ("retention", "safety/address_bans", "console/sessions", "console/hourly_figures")
    text = "\n".join((ROOT / "sql" / f"{name}.sql").read_text() for name in files)
    assert set(re.findall(r"delete from (\w+)", text)) >= SWEPT


async def left(models: Models, table: str) -> int:
    return int((await rows(models, f'select count(*) from "{table}"'))[0][0])


async def age(models: Models, table: str, column: str, days: float, hours: float = 1) -> None:
    """All of the table's rows are a little older than so many days."""
    await rows(
        models,
        f"update {table} set {column} = clock_timestamp() - make_interval(days => %s, hours => %s)",
        days, hours,
    )  # fmt: skip


DUE = [
    ("call_messages", "sent_at", 90),
    ("contacts", "said_at", 90),
    ("reports", "reviewed_at", 365),
    ("stripe_events", "received_at", 90),
    ("guesses", "guessed_at", 1),
    ("cooldowns", "until_at", 0),
    ("age_refusals", "until_at", 0),
    ("recovery_links", "expires_at", 0),
]


async def test_what_is_due_goes_and_what_is_not_stays(models: Models, person: MakePerson) -> None:
    ann, bo = await person("Ann", selfie=False), await person("Bo", selfie=False)
    await everything(models, ann, bo)
    before = {table: await left(models, table) for table, _, _ in DUE}
    assert all(before.values())
    for table, column, days in DUE:
        await age(models, table, column, days, hours=-1)
    await models.retention.sweep()
    assert {table: await left(models, table) for table, _, _ in DUE} == before
    for table, column, days in DUE:
        await age(models, table, column, days)
        await models.retention.sweep()
        assert await left(models, table) == 0, table
    assert await left(models, "users") == 2


async def everything(models: Models, ann: Person, bo: Person) -> None:
    call_id = await ended_call(models, ann, bo)
    await line(models, call_id, ann)
    await models.contacts.say(await models.calls.get(call_id), ann.user_id, is_yes=True)
    await report(models, ann, bo)
    await rows(models, "update reports set verdict = 'upheld', reviewed_at = now()")
    await rows(models, "insert into report_frames select report_id, 'x' from reports")
    await rows(models, "insert into stripe_events values ('evt_1', 't', 'applied', now())")
    await cooldown(models, ann, bo)
    await rows(models, "insert into age_refusals values ('x', now())")
    member = await models.sessions.find(bo.token)
    assert member
    await models.accounts.upgrade(member, "bo@example.com", "long enough a password", "192.0.2.1")
    await rows(models, "insert into recovery_links values (%s, 'x', now())", bo.user_id)


async def test_a_report_behind_a_standing_ban_is_kept(models: Models, person: MakePerson) -> None:
    ann, bo = await person("Ann", selfie=False), await person("Bo", selfie=False)
    await met(models, ann, bo)
    await report(models, ann, bo)
    await ban(models, bo)
    await rows(models, "insert into ban_reports select ban_id, report_id from bans, reports")
    await rows(models, "update reports set verdict = 'upheld', reviewed_at = now()")
    await age(models, "reports", "reviewed_at", 400)
    await models.retention.sweep()
    assert await left(models, "reports") == 1
    await rows(models, "update bans set lifted_at = now() - interval '366 days', lifted_reason = 'r'")
    await rows(models, "insert into appeals (ban_id, text, created_at) select ban_id, 't', now() from bans")
    await models.retention.sweep()
    assert [await left(models, table) for table in ("reports", "bans", "appeals")] == [0, 0, 0]


async def test_held_media_go_with_the_report(models: Models, person: MakePerson) -> None:
    ann, bo = await person("Ann", selfie=False), await person("Bo")
    await report(models, ann, bo)
    await models.selfies.keep(bo.user_id, Decoded(jpeg(300, 300)))
    await age(models, "reports", "created_at", 4000)
    await models.retention.sweep()
    assert [await left(models, table) for table in ("reports", "media")] == [1, 2], "not yet decided"
    await rows(models, "update reports set verdict = 'upheld', reviewed_at = now()")
    await age(models, "reports", "reviewed_at", 366)
    await models.retention.sweep()
    assert [await left(models, table) for table in ("reports", "media")] == [0, 1]


async def test_rings_go_and_those_of_calls_stay(models: Models, person: MakePerson) -> None:
    ann, bo = await person("Ann", selfie=False), await person("Bo", selfie=False)
    await met(models, ann, bo)
    call_id = await ended_call(models, ann, bo)
    await age(models, "invite_outcomes", "decided_at", 30)
    await models.retention.sweep()
    assert await rows(models, "select call_id from invite_outcomes") == [(call_id,)]


async def test_a_guest_who_cannot_come_back_is_deleted_after_a_week(
    models: Models, person: MakePerson
) -> None:
    ann, bo = await person("Ann", access=None), await person("Bo")
    now = "clock_timestamp()"
    await rows(models, f"update users set created_at = {now} - interval '400 days'")
    await rows(
        models,
        f"update sessions set renewed_at = {now} - interval '200 days', "
        f"expires_at = {now} - interval '6 days'",
    )
    await models.retention.sweep()
    assert await models.users.find(ann.user_id), "six days after the end"
    await rows(models, "update sessions set expires_at = expires_at - interval '1 day 1 hour'")
    await models.retention.sweep()
    assert await models.users.find(ann.user_id) is None
    assert await models.users.find(bo.user_id), "access keeps the session for a year"
    assert ann.user_id in models.tombstones.file.read_text()


@pytest.mark.parametrize("reason", ["account", "banned", "in use"])
async def test_whoever_can_come_back_is_not(models: Models, person: MakePerson, reason: str) -> None:
    ann = await person("Ann", access=None, selfie=False)
    if reason == "account":
        member = await models.sessions.find(ann.token)
        assert member
        await models.accounts.upgrade(member, "ann@example.com", "long enough a password", "192.0.2.1")
    if reason == "banned":
        await ban(models, ann)
    await older(models, "users.created_at", days=400)
    if reason != "in use":
        sql = "update sessions set expires_at = expires_at - interval '400 days', "
        await rows(models, sql + "renewed_at = renewed_at - interval '400 days'")
    await models.retention.sweep()
    assert await models.users.find(ann.user_id)


async def test_sessions_of_the_deleted_go_within_minutes(models: Models, person: MakePerson) -> None:
    ann, bo = await person("Ann", selfie=False), await person("Bo", selfie=False)
    await models.deletions.delete(ann.user_id)
    await models.retention.sweep()
    assert await left(models, "sessions") == 2
    await rows(
        models, "update sessions set ended_at = ended_at - interval '6 minutes' where ended_at is not null"
    )
    await models.retention.sweep()
    assert await rows(models, "select user_id from sessions") == [(bo.user_id,)]


async def test_a_call_that_nobody_remembers_goes(models: Models, person: MakePerson) -> None:
    ann, bo = await person("Ann", selfie=False), await person("Bo", selfie=False)
    await ended_call(models, ann, bo)
    await models.deletions.delete(ann.user_id)
    await models.retention.sweep()
    assert await left(models, "calls") == 1
    await models.deletions.delete(bo.user_id)
    await models.retention.sweep()
    assert await left(models, "calls") == 0


async def test_what_a_deleted_reporter_wrote_goes_once_it_is_judged(
    models: Models, person: MakePerson
) -> None:
    ann, bo = await person("Ann", selfie=False), await person("Bo", selfie=False)
    await everything(models, ann, bo)
    await rows(models, "update reports set text = 'words', verdict = null, reviewed_at = null")
    await models.deletions.delete(ann.user_id)
    await models.retention.sweep()
    assert await rows(models, "select text from reports") == [("words",)]
    await rows(models, "update reports set verdict = 'upheld', reviewed_at = now()")
    await models.retention.sweep()
    assert await rows(models, "select text from reports") == [(None,)]
    assert await left(models, "report_frames") == 0


async def test_so_does_a_picture_without_a_word(models: Models, person: MakePerson) -> None:
    ann, bo = await person("Ann", selfie=False), await person("Bo", selfie=False)
    await everything(models, ann, bo)
    await models.deletions.delete(ann.user_id)
    await rows(models, "update reports set text = null, verdict = 'upheld', reviewed_at = now()")
    await models.retention.sweep()
    assert await left(models, "report_frames") == 0
    assert await left(models, "reports") == 1


async def test_the_numbers_are_settings(models: Models, person: MakePerson) -> None:
    ann, bo = await person("Ann", selfie=False), await person("Bo", selfie=False)
    await everything(models, ann, bo)
    stand_still(models)
    models.clock.advance(seconds=3 * 24 * 3600)
    own = retention.Retention(models.db, models.clock, replace(models.config, chat_days=2), models.deletions)
    await models.retention.sweep()
    assert await left(models, "call_messages") == 1
    await own.sweep()
    assert await left(models, "call_messages") == 0
