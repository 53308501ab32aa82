"""Reports: once per pair, with attachments, weighted by the reporter's reputation."""

from __future__ import annotations

import asyncio

import pytest

from models.errors import Conflict, Invalid, NotFound, PaymentRequired, TooMany
from models.ids import new_id
from models.safety.reports import NewReport
from models.wiring import Models
from tests.conftest import MakePerson, MakeSite, Person, Running, jpeg
from tests.support.people.reports import MODERATOR, bans_of, met, report, reporters
from tests.support.scenes import in_call, rows, two


async def file(models: Models, reporter: Person, new: NewReport) -> None:
    member = await models.sessions.find(reporter.token)
    assert member is not None
    await models.reports.file(member, new)


async def test_reports_after_a_meeting_count_and_reports_of_a_card_do_not(
    models: Models, person: MakePerson
) -> None:
    anna, ben, carl = await person("Anna"), await person("Ben"), await person("Carl")
    await met(models, ben, anna)
    await report(models, anna, ben)
    await report(models, anna, carl)
    sources = await rows(models, "select reported_id, source from reports")
    assert dict(sources) == {ben.user_id: "met", carl.user_id: "card"}


async def test_a_pair_is_stored_once(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    await met(models, anna, ben)
    await asyncio.gather(*(report(models, anna, ben) for _ in range(5)))
    assert await rows(models, "select count(*) from reports") == [(1,)]


async def test_a_report_after_a_meeting_replaces_one_of_a_card(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    await report(models, anna, ben, "fake")
    await met(models, anna, ben)
    await report(models, anna, ben, "nudity")
    assert await rows(models, "select source, reason from reports") == [("met", "nudity")]


async def test_unknown_users_and_strangers_get_the_same_answer(models: Models, person: MakePerson) -> None:
    anna, guest = await person("Anna"), await person("Guest", access=None)
    for user_id in (new_id(), anna.user_id):
        with pytest.raises(PaymentRequired):
            await file(models, guest, NewReport(user_id=user_id, reason="spam"))
    await file(models, anna, NewReport(user_id=new_id(), reason="spam"))
    assert await rows(models, "select count(*) from reports") == [(0,)]


async def test_every_invalid_field_is_named(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    odd = NewReport(user_id=ben.user_id, reason="rude", text="a" * 1001, frame=b"x", message_ids=("1",))
    with pytest.raises(Invalid) as caught:
        await file(models, anna, odd)
    assert set(caught.value.fields or {}) == {"reason", "text", "messageIds", "frameConsent", "callId"}


async def test_a_user_can_file_twenty_reports_a_day(models: Models, person: MakePerson) -> None:
    anna = await person("Anna")
    for _ in range(20):
        await file(models, anna, NewReport(user_id=new_id(), reason="spam"))
    with pytest.raises(TooMany):
        await file(models, anna, NewReport(user_id=new_id(), reason="spam"))


async def test_evidence_is_limited_to_the_call(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    scene.b.send("chat:message", id="1", text="Rude words")
    line = (await scene.a.receive("chat:message"))["messageId"]
    anna, ben, carl = scene.people.anna, scene.people.ben, await person("Carl")
    stranger = NewReport(user_id=ben.user_id, reason="spam", call_id=scene.call_id)
    for reporter, new in [
        (carl, stranger),
        (anna, NewReport(user_id=carl.user_id, reason="spam", call_id=scene.call_id)),
        (anna, NewReport(user_id=ben.user_id, reason="spam", call_id=new_id())),
    ]:
        with pytest.raises(NotFound):
            await file(site.models, reporter, new)
    new = NewReport(
        user_id=ben.user_id, reason="nudity", call_id=scene.call_id, message_ids=(line, new_id()),
        frame=jpeg(), has_consent=True,
    )  # fmt: skip
    await file(site.models, anna, new)
    (filed,) = await site.models.report_reviews.queue()
    assert (filed.lines, filed.has_frame, filed.counts) == (1, True, True)
    (quoted,) = await site.models.report_reviews.lines(filed.report_id)
    assert (quoted.text, quoted.sender_id) == ("Rude words", ben.user_id)
    frame = await site.models.report_reviews.frame(filed.report_id)
    assert frame is not None
    assert frame.startswith(b"\xff\xd8")
    assert frame != jpeg()


async def test_a_ring_counts_as_a_meeting_and_ends(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    await pair.ring()
    await report(site.models, pair.ben, pair.anna)
    assert (await pair.a.receive("call:declined"))["reason"] == "declined"
    assert await rows(site.models, "select source from reports") == [("met",)]


# -- what four bring --


async def test_the_fourth_report_causes_a_ban_and_the_third_does_not(
    models: Models, person: MakePerson
) -> None:
    bad = await person("Bad")
    people = await reporters(models, person, bad, 4)
    for one in people[:3]:
        await report(models, one, bad)
    assert await bans_of(models, bad) == []
    await report(models, people[3], bad)
    assert await bans_of(models, bad) == [("temporary", True)]
    assert await rows(models, "select count(*) from ban_reports") == [(4,)]
    assert await models.sessions.find(bad.token) is None


async def test_twenty_concurrent_reports_cause_one_ban(
    site: Running, person: MakePerson, make_site: MakeSite
) -> None:
    far, bad = await make_site(), await person("Bad")
    people = await reporters(site.models, person, bad, 20)
    halves = [(site.models if number % 2 else far.models, one) for number, one in enumerate(people)]
    await asyncio.gather(*(report(models, one, bad) for models, one in halves))
    assert await bans_of(site.models, bad) == [("temporary", True)]
    assert await rows(site.models, "select count(*) from reports") == [(20,)]
    assert await rows(site.models, "select count(*) from ban_reports") == [(4,)]


async def test_reports_from_cards_never_count(models: Models, person: MakePerson) -> None:
    bad = await person("Bad")
    for number in range(6):
        await report(models, await person(f"Viewer {number}", selfie=False), bad)
    assert await bans_of(models, bad) == []


async def test_false_reporters_do_not_count_until_a_report_is_upheld(
    models: Models, person: MakePerson
) -> None:
    bad, ben = await person("Bad"), await person("Ben")
    people = await reporters(models, person, bad, 4)
    await met(models, people[0], ben)
    await report(models, people[0], ben)
    (false,) = await models.report_reviews.queue()
    await models.report_reviews.judge(false.report_id, MODERATOR, "dismissed")
    for one in people:
        await report(models, one, bad)
    assert await bans_of(models, bad) == []
    waiting = await models.report_reviews.queue()
    last = waiting[-1]  # although it is the oldest: reports that count come first
    assert (last.reporter_id, last.counts) == (people[0].user_id, False)
    assert await models.report_reviews.queue(waiting[0], most=2) == waiting[1:3]
    assert await models.report_reviews.queue(waiting[2]) == [last]
    assert await models.report_reviews.queue(last) == []
    carl, (last,) = await person("Carl"), await reporters(models, person, bad, 1)
    await met(models, people[0], carl)
    await report(models, people[0], carl)
    right = next(one for one in await models.report_reviews.queue() if one.reported_id == carl.user_id)
    await models.report_reviews.judge(right.report_id, MODERATOR, "upheld")
    await report(models, last, bad)
    assert await bans_of(models, bad) == [("temporary", True)]


async def test_reports_about_and_by_a_user_cost_one_statement(models: Models, person: MakePerson) -> None:
    anna, bad = await person("Anna"), await person("Bad")
    for one in await reporters(models, person, bad, 3):
        await report(models, one, bad)
    await report(models, anna, bad, "spam")
    before = models.db.statements_run
    about, by = await models.report_reviews.about(bad.user_id), await models.report_reviews.by(anna.user_id)
    assert models.db.statements_run - before == 2
    assert [one.reporter_name for one in about] == ["Anna", "Reporter 2", "Reporter 1", "Reporter 0"]
    assert [(one.reported_name, one.reason) for one in by] == [("Bad", "spam")]
    assert await models.report_reviews.by(bad.user_id) == []


async def test_a_report_is_decided_once(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    await met(models, anna, ben)
    await report(models, anna, ben)
    (filed,) = await models.report_reviews.about(ben.user_id)
    judge = models.report_reviews.judge
    results = await asyncio.gather(
        *(judge(filed.report_id, MODERATOR, "upheld") for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(one, Conflict) for one in results) == 3
    assert await models.report_reviews.queue() == []
    with pytest.raises(NotFound):
        await models.report_reviews.get(new_id())
