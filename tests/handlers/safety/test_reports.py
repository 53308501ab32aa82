"""/report: as JSON, and as a form on its own page."""

from __future__ import annotations

import base64
import html
import re

import pytest

from models.ids import new_id
from tests.conftest import MakePerson, Running, jpeg
from tests.support.factories import ended_call
from tests.support.people.reports import browser_of, met
from tests.support.scenes import in_call, rows


async def test_the_response_is_identical_for_any_reported_user(site: Running, person: MakePerson) -> None:
    anna, ben, unknown = await person("Anna"), await person("Ben"), new_id()
    answers = [
        await site.client.post("/report", {"userId": user_id, "reason": "fake"}, token=anna.token)
        for user_id in (ben.user_id, unknown, ben.user_id, unknown)
    ]
    references = [answer.json["reference"] for answer in answers]
    assert {(answer.status, *answer.json) for answer in answers} == {(201, "reference")}
    assert references[:2] == references[2:]
    assert all(re.fullmatch("R-[0-9A-F]{10}", one) for one in references)


async def test_a_report_of_a_card_is_listed_alike_after_a_deletion(site: Running, person: MakePerson) -> None:
    """A reporter does not learn whether a user whom they never met is still there."""
    listed = []
    for is_there in (True, False):
        anna, ben = await person("Anna"), await person("Ben")
        if not is_there:
            await site.models.deletions.delete(ben.user_id)
        sent = await site.client.post("/report", {"userId": ben.user_id, "reason": "fake"}, token=anna.token)
        (own,) = (await site.client.get("/reports", token=anna.token)).json["reports"]
        assert own.pop("reference") == sent.json["reference"]
        own.pop("filedAt")
        listed.append(own)
    assert listed[0] == listed[1]


async def test_a_deleted_partner_is_reported_from_the_history(site: Running, person: MakePerson) -> None:
    anna, ben, carl = await person("Anna"), await person("Ben"), await person("Carl")
    call_id = await ended_call(site.models, anna, ben)
    await site.models.deletions.delete(ben.user_id)
    browser = await browser_of(site, anna)
    link = f"/report?callId={call_id}&amp;next=/history"
    assert link in (await browser.get("/history")).text
    page = await browser.get(html.unescape(link))
    assert f'name="userId" value="{ben.user_id}"' in page.text
    sent = await browser.post("/report", userId=ben.user_id, callId=call_id, reason="nudity")
    assert sent.status == 303
    assert await rows(site.models, "select source, reported_name from reports") == [("met", None)]
    for answer in (
        await site.client.get(f"/report?callId={call_id}", token=carl.token),
        await site.client.post("/report", {"callId": call_id, "reason": "spam"}, token=carl.token),
    ):
        assert answer.status == 404


async def test_a_call_of_other_users_is_answered_like_an_unknown_one(
    site: Running, person: MakePerson
) -> None:
    scene = await in_call(site, person)
    carl, ben = await person("Carl"), scene.people.ben
    answers = []
    for call_id in (scene.call_id, new_id()):
        report = {"userId": ben.user_id, "callId": call_id, "reason": "spam"}
        answers.append(await site.client.post("/report", report, token=carl.token))
        form = f"/report?userId={ben.user_id}&callId={call_id}"
        answers.append(await site.client.get(form, token=carl.token))
    assert {(answer.status, answer.body) for answer in answers} == {(404, answers[0].body)}


async def test_a_picture_needs_consent_and_is_reencoded(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    anna, ben = scene.people.anna, scene.people.ben
    picture = "data:image/jpeg;base64," + base64.b64encode(jpeg()).decode()
    report = {"userId": ben.user_id, "callId": scene.call_id, "reason": "nudity", "frame": picture}
    refused = await site.client.post("/report", report, token=anna.token)
    assert set(refused.json["error"]["fields"]) == {"frameConsent"}
    filed = await site.client.post("/report", report | {"frameConsent": True}, token=anna.token)
    assert filed.status == 201
    assert await rows(site.models, "select count(*) from report_frames") == [(1,)]


@pytest.mark.parametrize("picture", ["", "data:image/jpeg;base64,"])
async def test_an_empty_picture_is_named_and_never_dropped(
    site: Running, person: MakePerson, picture: str
) -> None:
    scene = await in_call(site, person)
    report = {"userId": scene.people.ben.user_id, "callId": scene.call_id, "reason": "nudity"}
    sent = report | {"frame": picture, "frameConsent": True}
    refused = await site.client.post("/report", sent, token=scene.people.anna.token)
    assert (refused.status, set(refused.json["error"]["fields"])) == (422, {"frame"})
    assert await rows(site.models, "select count(*) from reports") == [(0,)]
    without = await site.client.post("/report", report | {"frame": ""}, token=scene.people.anna.token)
    assert without.status == 201


@pytest.mark.parametrize(("picture", "status"), [("!!", 422), (base64.b64encode(b"GIF89a").decode(), 415)])
async def test_an_invalid_picture_is_rejected(
    site: Running, person: MakePerson, picture: str, status: int
) -> None:
    scene = await in_call(site, person)
    report = {"userId": scene.people.ben.user_id, "callId": scene.call_id, "reason": "nudity"}
    sent = report | {"frame": picture, "frameConsent": True}
    assert (await site.client.post("/report", sent, token=scene.people.anna.token)).status == status
    assert await rows(site.models, "select count(*) from reports") == [(0,)]


async def test_without_a_session_there_is_no_report(site: Running) -> None:
    answer = await site.client.post("/report", {"userId": new_id(), "reason": "spam"})
    assert answer.status == 401


async def test_a_form_attaches_the_selected_messages(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    anna, ben = scene.people.anna, scene.people.ben
    for number in ("1", "2"):
        scene.b.send("chat:message", id=number, text=f"<b>line {number}</b>")
    lines = [(await scene.a.receive("chat:message"))["messageId"] for _ in range(2)]
    await scene.end()
    browser = await browser_of(site, anna)
    page = await browser.get(f"/report?userId={ben.user_id}&callId={scene.call_id}&next=/history")
    assert "Report Ben" in page.text
    assert "&lt;b&gt;line 1" in page.text
    fields = {"userId": ben.user_id, "callId": scene.call_id, "reason": "harassment", "next": "/history"}
    sent = await browser.post("/report", messageIds=lines[0], **fields)
    assert (sent.status, sent.headers["Location"]) == (303, "/reports?next=%2Fhistory")
    assert await rows(site.models, "select text from report_lines") == [("<b>line 1</b>",)]


async def test_an_invalid_form_is_shown_again(site: Running, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    browser = await browser_of(site, anna)
    answer = await browser.post("/report", userId=ben.user_id, reason="rude", text="As I wrote")
    assert answer.status == 422
    assert "As I wrote" in answer.text
    assert "Ben" not in answer.text


async def test_reporter_and_reported_do_not_see_each_other_again(site: Running, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    await met(site.models, anna, ben)
    await site.invites(anna)
    await site.invites(ben)
    await site.client.post("/report", {"userId": ben.user_id, "reason": "spam"}, token=anna.token)
    for one in (anna, ben):
        assert (await site.client.get("/room/queue", token=one.token)).json["users"] == []


async def test_two_reporters_at_one_address_are_one_party_without_sockets(
    site: Running, person: MakePerson
) -> None:
    ben = await person("Ben")
    for name in ("Anna", "Carl"):
        reporter = await person(name)
        sent = {"userId": ben.user_id, "reason": "minor"}
        assert (await site.client.post("/report", sent, token=reporter.token)).status == 201
    assert await rows(site.models, "select count(*) from users where card_hidden_at is not null") == [(0,)]
