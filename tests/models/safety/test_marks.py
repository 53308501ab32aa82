"""Marks of reported users who were deleted: a returning user is linked with the reports, and not refused."""

from __future__ import annotations

import pytest

from models.safety.marks import PersonMarks
from models.safety.reports import NewReport
from models.wiring import Models
from tests.conftest import MakePerson, Person, Running
from tests.support.factories import ended_call, older
from tests.support.people.account_holders import upgraded
from tests.support.people.reports import MODERATOR, met, report
from tests.support.people.staff import at_work
from tests.support.scenes import ban, rows


async def seen(models: Models, one: Person, device: str, address: str) -> None:
    await models.marks.saw(one.user_id, device)
    await models.address_bans.saw(one.user_id, address)


async def test_a_returning_user_is_linked_with_the_reports(site: Running, person: MakePerson) -> None:
    models, ann = site.models, await person("Ann")
    bad = (await upgraded(site, await person("Bad"), "bad@example.com")).person
    await seen(models, bad, "browser", "192.0.2.7")
    await report(models, ann, bad, "harassment")
    await models.deletions.delete(bad.user_id)
    again = (await upgraded(site, await person("New"), "BAD@example.com")).person
    await seen(models, again, "browser", "192.0.2.7")
    other = await person("Other")
    await seen(models, other, "another", "192.0.2.8")
    (found,) = await models.marks.of(again.user_id)
    assert (found.user_id, found.kinds) == (bad.user_id, ["address", "device", "email"])
    assert (found.reports, found.open_reports) == (1, 1)
    assert await models.marks.of(other.user_id) == []
    _, mia = await at_work(site, "Mia")
    page = (await mia.get(f"/admin/people/{again.user_id}")).text
    assert "the same address, device, email" in page
    assert "Harassment, open</a>" in page
    assert "May be a user who was deleted" not in (await mia.get(f"/admin/people/{other.user_id}")).text


async def test_a_banned_user_who_returns_is_shown_to_the_staff(site: Running, person: MakePerson) -> None:
    models, bad, again, other = site.models, await person("Bad"), await person("New"), await person("Other")
    for one, device in ((bad, "browser"), (again, "browser"), (other, "another")):
        await models.marks.saw(one.user_id, device)
    assert await models.marks.of(again.user_id) == []
    await ban(models, bad)
    (found,) = await models.marks.of(again.user_id)
    assert (found.user_id, found.kinds, found.deleted_at) == (bad.user_id, ["device"], None)
    assert await models.marks.of(bad.user_id) == await models.marks.of(other.user_id) == []
    _, mia = await at_work(site, "Mia")
    page = (await mia.get(f"/admin/people/{again.user_id}")).text
    assert f'May be a <a href="/admin/people/{bad.user_id}">user who is banned</a>: the same device.' in page
    await rows(models, "update bans set until_at = clock_timestamp()")
    assert await models.marks.of(again.user_id) == []


@pytest.mark.parametrize("verdict", [None, "dismissed"])
async def test_without_reports_nothing_is_kept(
    models: Models, person: MakePerson, verdict: str | None
) -> None:
    ann, ben = await person("Ann"), await person("Ben")
    await seen(models, ben, "browser", "192.0.2.7")
    if verdict:
        await report(models, ann, ben)
        (filed,) = await models.report_reviews.queue()
        await models.report_reviews.judge(filed.report_id, MODERATOR, "dismissed")
    await models.deletions.delete(ben.user_id)
    for table in ("person_marks", "seen_devices"):
        assert await rows(models, f"select 1 from {table}") == [], table


async def test_marks_are_hashes_and_end_after_report_days(models: Models, person: MakePerson) -> None:
    assert isinstance(models.marks, PersonMarks)
    ann, bad = await person("Ann"), await person("Bad")
    await seen(models, bad, "browser", "192.0.2.7")
    await report(models, ann, bad)
    await models.deletions.delete(bad.user_id)
    stored = str(await rows(models, "select row_to_json(person_marks)::text from person_marks"))
    assert "browser" not in stored
    assert "192.0.2" not in stored
    await models.retention.sweep()
    assert len(await rows(models, "select 1 from person_marks")) == 2
    await rows(models, "update person_marks set kept_at = now() - interval '366 days'")
    await models.retention.sweep()
    assert await rows(models, "select 1 from person_marks") == []


async def test_a_browser_keeps_its_name_after_signing_out(site: Running, person: MakePerson) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    await browser.post("/auth/guest", name="Ann", gender="female", adult="true")
    first = browser.cookies["device"]
    await browser.post("/auth/logout")
    await browser.post("/auth/guest", name="Bea", gender="female", adult="true")
    assert browser.cookies["device"] == first


async def test_a_user_reported_after_their_deletion_is_recognised(site: Running, person: MakePerson) -> None:
    """The call has ended, and the user deletes themselves before the other reports them."""
    models, ann, bad = site.models, await person("Ann"), await person("Bad")
    await seen(models, bad, "browser", "192.0.2.7")
    call_id = await ended_call(models, ann, bad)
    await models.deletions.delete(bad.user_id)
    again = await person("New")
    await seen(models, again, "browser", "192.0.2.7")
    assert await models.marks.of(again.user_id) == []
    member = await models.sessions.find(ann.token)
    assert member is not None
    await models.reports.file(
        member, NewReport(user_id="", call_id=call_id, reason="nudity", text="He undressed.")
    )
    (found,) = await models.marks.of(again.user_id)
    assert (found.user_id, found.kinds, found.open_reports) == (bad.user_id, ["address", "device"], 1)
    (filed,) = await models.report_reviews.queue()
    assert (filed.source, filed.text, filed.name_then) == ("met", "He undressed.", None)


async def test_marks_of_whom_no_one_reports_go_with_the_addresses(models: Models, person: MakePerson) -> None:
    ann, ben, eve = await person("Ann"), await person("Ben"), await person("Eve")
    await met(models, ann, ben)
    for one in (ben, eve):
        await seen(models, one, "browser", "192.0.2.7")
        await models.deletions.delete(one.user_id)
    kept = "select distinct user_id::text from person_marks"
    assert await rows(models, kept) == [(ben.user_id,)]
    days = models.config.address_days
    await older(models, "person_marks.kept_at", days=days - 1)
    await models.retention.sweep()
    assert await rows(models, kept) == [(ben.user_id,)]
    await report(models, ann, ben)
    await older(models, "person_marks.kept_at", days=2)
    await models.retention.sweep()
    assert await rows(models, kept) == [(ben.user_id,)]
    await rows(models, "delete from reports")
    await models.retention.sweep()
    assert await rows(models, kept) == []


async def test_a_meeting_long_ago_leaves_no_marks(models: Models, person: MakePerson) -> None:
    ann, ben = await person("Ann"), await person("Ben")
    await ended_call(models, ann, ben, minutes_ago=(models.config.address_days * 24 + 1) * 60)
    await seen(models, ben, "browser", "192.0.2.7")
    await models.deletions.delete(ben.user_id)
    assert await rows(models, "select 1 from person_marks") == []
