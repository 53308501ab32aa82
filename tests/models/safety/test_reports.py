"""Reports: once per pair, with attachments, weighted by the reporter's reputation."""

from __future__ import annotations

import asyncio

import pytest

from models.errors import Conflict, Invalid, NotFound, PaymentRequired, TooMany
from models.ids import new_id, report_reference
from models.safety.reports import NewReport
from models.wiring import Models
from tests.conftest import MakePerson, Person, Running, jpeg
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
    await met(models, anna, ben)
    await report(models, anna, ben)
    await report(models, anna, carl)
    sources = await rows(models, "select reported_id, source from reports")
    assert dict(sources) == {ben.user_id: "met", carl.user_id: "card"}


async def test_a_pair_has_one_open_report(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    await met(models, anna, ben)
    references = await asyncio.gather(*(report(models, anna, ben) for _ in range(5)))
    ((report_id,),) = await rows(models, "select report_id from reports")
    assert report_reference(report_id) == references[0]
    assert set(references) == {references[0]}
    assert await rows(models, "select count(*) from report_additions") == [(0,)]


async def test_a_further_report_is_added_and_only_makes_it_graver(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    await report(models, anna, ben, "fake")
    await met(models, anna, ben)
    await report(models, anna, ben, "minor")
    await file(models, anna, NewReport(user_id=ben.user_id, reason="spam", text="Adverts too."))
    assert await rows(models, "select source, reason from reports") == [("met", "minor")]
    (filed,) = await models.report_reviews.queue()
    additions = await models.report_reviews.additions(filed.report_id)
    assert [(one.reason, one.text) for one in additions] == [("minor", None), ("spam", "Adverts too.")]
    assert filed.due_at is not None


async def test_after_a_decision_a_pair_may_have_another_report(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    await met(models, anna, ben)
    await report(models, anna, ben)
    (filed,) = await models.report_reviews.queue()
    await models.report_reviews.judge(filed.report_id, MODERATOR, "dismissed")
    await report(models, anna, ben)
    assert len(await models.report_reviews.about(ben.user_id)) == 2


async def test_a_ring_that_the_reporter_sent_is_no_meeting(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    await met(models, ben, anna)
    await report(models, anna, ben)
    assert await rows(models, "select source from reports") == [("card",)]


async def test_reporters_of_one_address_stay_one_party(models: Models, person: MakePerson) -> None:
    """Also when the list of recent addresses has been cleared since."""
    bad = await person("Bad")
    people = await reporters(models, person, bad, 4)
    for one in people:
        await models.address_bans.saw(one.user_id, "192.0.2.7")
        await report(models, one, bad)
        await rows(models, "delete from seen_addresses")
    assert await bans_of(models, bad) == []


@pytest.mark.parametrize(("customer", "bans"), [("a:{}", 0), ("{}:a", 1)])
async def test_reporters_of_one_ipv6_customer_are_one_party(
    models: Models, person: MakePerson, customer: str, bans: int
) -> None:
    """A /48 has 65,536 networks: four of them are one vote, those of four customers are four."""
    bad = await person("Bad")
    for number, one in enumerate(await reporters(models, person, bad, 4)):
        await models.address_bans.saw(one.user_id, f"2001:db8:{customer.format(number)}::7")
        await report(models, one, bad)
    assert len(await bans_of(models, bad)) == bans


async def test_a_decision_at_the_same_time_does_not_swallow_an_addition(
    models: Models, person: MakePerson
) -> None:
    for number in range(10):
        anna, ben = await person(f"Anna {number}"), await person(f"Ben {number}")
        await report(models, anna, ben, "spam")
        (filed,) = await models.report_reviews.about(ben.user_id)
        decision = models.report_reviews.judge(filed.report_id, MODERATOR, "dismissed")
        await asyncio.gather(report(models, anna, ben, "minor"), decision, return_exceptions=True)
        reports = await models.report_reviews.about(ben.user_id)
        added = [one for one in reports if one.reason == "minor"]
        assert len(added) == 1
        if added[0].verdict is not None:
            (seen,) = await models.report_reviews.additions(added[0].report_id)
            assert added[0].reviewed_at is not None
            assert seen.created_at <= added[0].reviewed_at


async def test_a_report_of_a_card_may_have_a_picture(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    new = NewReport(user_id=ben.user_id, reason="nudity", frame=jpeg(), has_consent=True)
    await file(models, anna, new)
    (filed,) = await models.report_reviews.queue()
    assert (filed.source, filed.frames) == ("card", 1)


async def test_a_further_picture_is_kept_beside_the_first(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    for size in (200, 300):
        new = NewReport(
            user_id=scene.people.ben.user_id, reason="nudity", call_id=scene.call_id, frame=jpeg(size, size),
            has_consent=True,
        )  # fmt: skip
        await file(site.models, scene.people.anna, new)
    (filed,) = await site.models.report_reviews.queue()
    assert filed.frames == 2
    first, second = [await site.models.report_reviews.frame(filed.report_id, number) for number in (0, 1)]
    assert first != second


async def test_the_queue_is_ordered_by_gravity(models: Models, person: MakePerson) -> None:
    anna, reasons = await person("Anna"), ("spam", "nudity", "harassment", "minor", "nudity")
    for number, reason in enumerate(reasons):
        await report(models, anna, await person(f"Ben {number}", selfie=False), reason)
    queue = await models.report_reviews.queue()
    assert [one.reason for one in queue] == ["minor", "nudity", "nudity", "spam", "harassment"]
    assert await models.report_reviews.queue(queue[1], most=2) == queue[2:4]


async def test_two_independent_reports_of_a_minor_hide_the_card_until_they_are_decided(
    models: Models, person: MakePerson
) -> None:
    ben, queue = await person("Ben"), models.report_reviews
    hidden = "select card_hidden_at is not null from users where user_id = %s"
    first, second = await reporters(models, person, ben, 2)
    await report(models, first, ben, "minor")
    assert await rows(models, hidden, ben.user_id) == [(False,)]
    await report(models, second, ben, "minor")
    assert await rows(models, hidden, ben.user_id) == [(True,)]
    assert await models.sessions.find(ben.token) is not None
    assert await bans_of(models, ben) == []
    for filed in await queue.queue():
        assert await rows(models, hidden, ben.user_id) == [(True,)]
        await queue.judge(filed.report_id, MODERATOR, "dismissed")
    assert await rows(models, hidden, ben.user_id) == [(False,)]


async def test_a_report_holds_what_the_card_showed(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    await met(models, anna, ben)
    await report(models, anna, ben)
    (filed,) = await models.report_reviews.queue()
    (held,) = await models.report_reviews.media(filed.report_id)
    await models.deletions.delete(ben.user_id)
    assert await models.media.find(held.media_id, ben.user_id) is None
    (kept,) = await models.report_reviews.media(filed.report_id)
    assert kept.detached_at is not None
    shown = await models.report_reviews.shown_media(filed.report_id, held.media_id, MODERATOR)
    assert len(await models.media.read(shown, 0, shown.byte_size - 1)) == shown.byte_size
    with pytest.raises(NotFound):
        await models.report_reviews.shown_media(new_id(), held.media_id, MODERATOR)
    assert (await models.report_reviews.get(filed.report_id)).name_then == "Ben"


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
    assert (filed.lines, filed.frames, filed.counts) == (1, 1, True)
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
