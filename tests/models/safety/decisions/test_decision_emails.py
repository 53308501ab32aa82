"""E-mails about reports and decisions: to whom, with what, once."""

from __future__ import annotations

from tornado.testing import bind_unused_port

from models.safety.bans import NewBan
from models.wiring import Models
from tests.conftest import MakePerson, MakeSite, Person, Running
from tests.support.people.account_holders import Holder, upgraded
from tests.support.people.reports import MODERATOR, OTHER_MODERATOR, report, reporters
from tests.support.scenes import rows, stand_still
from tests.support.smtp_server import Mailbox


async def account(site: Running, mailbox: Mailbox, person: Person, email: str) -> Holder:
    """An account, whose confirmation e-mail has arrived and is taken away."""
    made = await upgraded(site, person, email)
    assert "Confirm" in (await mailbox.any_letter())["Subject"]
    return made


async def test_a_reporter_gets_a_receipt_and_the_outcome(
    site: Running, person: MakePerson, mailbox: Mailbox
) -> None:
    models, bad = site.models, await person("Bad")
    ann = await account(site, mailbox, await person("Ann"), "ann@example.com")
    for verdict, words in (("upheld", "We have acted on it."), ("dismissed", "no reason to act")):
        reference = await report(models, ann.person, bad)
        await report(models, ann.person, bad)
        await models.decisions.emails.send()
        assert mailbox.letters[0]["Subject"] == f"Your report {reference}"
        receipt = await mailbox.letter()
        assert reference in receipt
        (filed,) = await models.report_reviews.queue()
        await models.report_reviews.judge(filed.report_id, MODERATOR, verdict)
        await models.decisions.emails.send()
        outcome = await mailbox.letter()
        assert words in outcome
        assert "Bad" not in receipt + outcome
    assert await rows(models, "select 1 from decision_emails") == []
    assert mailbox.letters == []
    assert mailbox.recipients == ["ann@example.com"] * 5


async def test_all_reporters_behind_a_ban_get_the_outcome(
    site: Running, person: MakePerson, mailbox: Mailbox
) -> None:
    models, bad = site.models, await person("Bad")
    people = await reporters(models, person, bad, 4)
    ann = await account(site, mailbox, people[0], "ann@example.com")
    for one in (ann.person, *people[1:]):
        await report(models, one, bad)
    await models.decisions.emails.send()
    await mailbox.letter()
    (ban,) = await models.bans.of_user(bad.user_id)
    await models.bans.make_permanent(ban.ban_id, MODERATOR, "Adverts.")
    await models.decisions.emails.send()
    assert "We have acted on it." in await mailbox.letter()
    assert await rows(models, "select 1 from decision_emails") == []


async def test_a_banned_account_holder_gets_the_reasons(
    site: Running, person: MakePerson, mailbox: Mailbox
) -> None:
    ben = await account(site, mailbox, await person("Ben"), "ben@example.com")
    new = NewBan(user_id=ben.person.user_id, rule="spam", reason="Adverts.")
    ban = await site.models.bans.decide(new, MODERATOR)
    await site.models.decisions.emails.send()
    text = await mailbox.letter()
    for words in ("without an end", "Clause 2.3 of the terms", "Facts: Adverts.", "by a moderator"):
        assert words in text
    assert f"/appeal?token={await site.models.ban_notices.token(ban.ban_id)}" in text


async def test_a_removal_is_explained_by_e_mail(site: Running, person: MakePerson, mailbox: Mailbox) -> None:
    ben = await account(site, mailbox, await person("Ben"), "ben@example.com")
    user_id = ben.person.user_id
    media_id = (await site.models.members.get(user_id)).selfie_id or ""
    removal_id = await site.models.decisions.removals.remove(
        user_id, "selfie", media_id, MODERATOR, "Bare.", "nudity"
    )
    await site.models.decisions.emails.send()
    text = await mailbox.letter()
    assert text.startswith("Your selfie was removed.")
    assert "Clause 2.1" in text
    assert f"/removals/{removal_id}" in text


async def test_what_ended_in_the_meantime_is_not_sent(
    site: Running, person: MakePerson, mailbox: Mailbox
) -> None:
    ben = await account(site, mailbox, await person("Ben"), "ben@example.com")
    new = NewBan(user_id=ben.person.user_id, rule="spam", reason="Adverts.")
    ban = await site.models.bans.decide(new, MODERATOR)
    await site.models.bans.lift(ban.ban_id, OTHER_MODERATOR, "A mistake.")
    await site.models.decisions.emails.send()
    assert await rows(site.models, "select 1 from decision_emails") == []
    assert mailbox.letters == []


async def test_a_failed_delivery_is_repeated_for_days(make_site: MakeSite, person: MakePerson) -> None:
    nobody, port = bind_unused_port()
    nobody.close()
    site = await make_site(smtp_url=f"smtp://127.0.0.1:{port}", mail_from="hello@napalmsky.example")
    models, bad = site.models, await person("Bad")
    ann = await upgraded(site, await person("Ann"), "ann@example.com")
    stand_still(models)
    await report(models, ann.person, bad)
    count = "select count(*) from decision_emails"
    for _ in range(2):
        await models.decisions.emails.send()
        assert await rows(models, count) == [(1,)]
        models.clock.advance(seconds=61)
    models.clock.advance(seconds=3 * 86400)
    await models.decisions.emails.send()
    assert await rows(models, count) == [(0,)]


async def test_without_a_mail_server_nothing_waits(models: Models, person: MakePerson) -> None:
    await report(models, await person("Ann"), await person("Bad"))
    assert await rows(models, "select 1 from decision_emails") == []
    await models.decisions.emails.send()


async def test_receipts_do_not_flood_an_address(site: Running, person: MakePerson, mailbox: Mailbox) -> None:
    ann = await account(site, mailbox, await person("Ann"), "ann@example.com")
    for number in range(5):
        await report(site.models, ann.person, await person(f"Bad {number}", selfie=False))
    await site.models.decisions.emails.send()
    assert await rows(site.models, "select 1 from decision_emails") == []
    assert len(mailbox.letters) == 3


async def test_an_unconfirmed_address_gets_nothing(
    site: Running, person: MakePerson, mailbox: Mailbox
) -> None:
    ben = await account(site, mailbox, await person("Ben"), "ben@example.com")
    await rows(site.models, "update accounts set email_confirmed_at = null")
    new = NewBan(user_id=ben.person.user_id, rule="spam", reason="Adverts.")
    await site.models.bans.decide(new, MODERATOR)
    await site.models.decisions.emails.send()
    assert await rows(site.models, "select 1 from decision_emails") == []
    assert mailbox.letters == []
