"""Reports and appeals in the console: evidence on request, one verdict, no verdicts on own bans."""

from __future__ import annotations

import asyncio
import base64
import io
import re
import time
from urllib.parse import parse_qs, urlsplit

from PIL import Image

from tests.conftest import MakePerson, MakeSite, Running, jpeg
from tests.support.media.clips import clip
from tests.support.pace import within
from tests.support.people.reports import bans_of, met, report, reporters
from tests.support.people.staff import at_work
from tests.support.scenes import rows


async def filed(site: Running) -> list[str]:
    return [one.report_id for one in await site.models.report_reviews.queue()]


async def acts(site: Running) -> list[str]:
    """The actions of staff, without sign-ins and views, oldest first."""
    page = reversed(await site.models.audit.page())
    return [one.action for one in page if not re.match(r"staff\.|\w+\.look$", one.action)]


async def test_evidence_is_shown_on_request_only_and_logged(site: Running, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    await met(site.models, anna, ben)
    await report(site.models, anna, ben)
    (report_id,) = await filed(site)
    sql = "insert into report_lines select %s, gen_random_uuid(), %s, 'Rude <i>words</i>', now()"
    await rows(site.models, sql, report_id, ben.user_id)
    await rows(site.models, "insert into report_frames (report_id, bytes) values (%s, %s)", report_id, jpeg())
    _, browser = await at_work(site, "Mia")
    page = await browser.get(f"/admin/reports/{report_id}")
    assert "Attached: 1 line of chat, a picture, what the card showed" in page.text
    assert "Rude" not in page.text
    assert "frame.jpg" not in page.text
    assert await acts(site) == []
    fragment = await browser.get(f"/admin/reports/{report_id}/evidence", htmx=True)
    assert "Rude &lt;i&gt;words" in fragment.text
    picture = await browser.get(f"/admin/reports/{report_id}/frame.jpg")
    assert (picture.headers["Content-Type"], picture.body) == ("image/jpeg", jpeg())
    assert await acts(site) == ["report.evidence", "report.frame"]


async def test_previews_are_tiny_and_every_view_is_logged(site: Running, person: MakePerson) -> None:
    """A picture that the reporter sent, the selfie, the intro video and a frame of it."""
    anna, ben = await person("Anna", selfie=False), await person("Ben", selfie=False)
    await site.client.upload("/media/selfie", "selfie", jpeg(300, 300), token=ben.token)
    await site.client.upload("/media/video", "video", clip(), token=ben.token)
    sent = {"userId": ben.user_id, "reason": "nudity", "frameConsent": True}
    frame = base64.b64encode(jpeg(320, 240)).decode()
    answer = await site.client.post("/report", sent | {"frame": frame}, token=anna.token)
    assert answer.status == 201
    (report_id,) = await filed(site)
    _, browser = await at_work(site, "Mia")
    path = f"/admin/reports/{report_id}"
    selfie, video = await site.models.report_reviews.media(report_id)
    assert [(one.kind, one.has_preview, one.has_frame) for one in (selfie, video)] == [
        ("selfie", True, False), ("video", True, True),
    ]  # fmt: skip
    page = (await browser.get(f"{path}/evidence")).text
    files = [
        f"{path}/frame.jpg?number=0",
        f"{path}/media/{selfie.media_id}?",
        f"{path}/media/{video.media_id}?",
    ]
    for file in files:
        tiny = await browser.get(f"{file}&as=preview")
        assert Image.open(io.BytesIO(tiny.body)).size == (16, 16)
        assert f"{file.removesuffix('?')}".replace("&", "&amp;") in page
    assert await acts(site) == ["report.evidence"]
    for file in files:
        assert (await browser.get(file)).status == 200
    still = await browser.get(f"{path}/media/{video.media_id}?as=frame")
    assert Image.open(io.BytesIO(still.body)).format == "JPEG"
    assert await acts(site) == ["report.evidence", "report.frame", *["report.media"] * 3]


async def test_a_report_is_decided_once_and_with_a_reason(site: Running, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    await met(site.models, anna, ben)
    await report(site.models, anna, ben)
    (report_id,) = await filed(site)
    _, browser = await at_work(site, "Mia")
    for fields in ({"kind": "dismiss"}, {"reason": "Because."}, {"kind": "permanent", "reason": " "}):
        again = await browser.post(f"/admin/reports/{report_id}", **fields)
        assert again.status == 422
        assert 'role="alert"' in again.text
    assert await filed(site) == [report_id]
    done = await browser.post(f"/admin/reports/{report_id}", kind="dismiss", reason="Nothing there.")
    assert (done.status, done.headers["Location"]) == (303, "/admin/reports")
    late = await browser.post(f"/admin/reports/{report_id}", kind="permanent", reason="After all.")
    assert late.status == 409
    assert await bans_of(site.models, ben) == []
    assert await acts(site) == ["report.dismissed"]
    assert "Judged: dismissed" in (await browser.get(f"/admin/reports/{report_id}")).text


async def test_a_report_about_a_deleted_user_can_be_upheld(site: Running, person: MakePerson) -> None:
    """Dismissing it would count against the reporter."""
    anna, ben = await person("Anna"), await person("Ben")
    await met(site.models, anna, ben)
    await report(site.models, anna, ben)
    (report_id,) = await filed(site)
    _, browser = await at_work(site, "Mia")
    await site.models.deletions.delete(ben.user_id)
    path = f"/admin/reports/{report_id}"
    refused = await browser.post(path, kind="permanent", reason="Rude.")
    assert (refused.status, "This user has been deleted" in refused.text) == (422, True)
    assert (await browser.post(path, kind="uphold", reason="It was so.")).status == 303
    assert (await site.models.report_reviews.get(report_id)).verdict == "upheld"
    assert await acts(site) == ["report.upheld"]


async def test_a_ban_decides_its_report_or_all_open_ones(site: Running, person: MakePerson) -> None:
    bad, people = await person("Bad"), []
    people = await reporters(site.models, person, bad, 3)
    for one in people:
        await report(site.models, one, bad)
    first, *_ = await filed(site)
    _, browser = await at_work(site, "Mia")
    week = {"kind": "temporary", "reason": "Rude.", "hours": "168"}
    await browser.post(f"/admin/reports/{first}", **week)
    assert len(await filed(site)) == 2
    (ban,) = await site.models.bans.of_user(bad.user_id)
    assert ban.until_at is not None
    assert round((ban.until_at - ban.created_at).total_seconds() / 3600) == 168
    await browser.post(f"/admin/reports/{(await filed(site))[0]}", withOthers="true", **week)
    assert await filed(site) == []
    assert await acts(site) == ["ban.temporary", "ban.temporary"]
    assert await bans_of(site.models, bad) == [("temporary", False), ("temporary", True)]


async def test_a_ban_without_a_report_and_its_end(site: Running, person: MakePerson) -> None:
    ben = await person("Ben")
    socket = await site.invites(ben)
    _, browser = await at_work(site, "Mia")
    path = f"/admin/people/{ben.user_id}"
    await site.models.address_bans.saw(ben.user_id, "10.1.2.3")
    for faulty in ({"rule": "nonsense"}, {"addressHours": "721"}, {"hours": "0"}, {"kind": "forever"}):
        fields = {"kind": "permanent", "rule": "spam", "reason": "x"} | faulty
        assert (await browser.post(path, **fields)).status == 422, faulty
    fields = {"kind": "permanent", "rule": "minor", "reason": "Not an adult.", "addressHours": "72"}
    assert (await browser.post(path, **fields)).headers["Location"] == path
    told = await socket.receive("ban", seconds=within(1))
    assert (told["rule"], told["reason"], told["until"]) == ("minor", "Not an adult.", None)
    assert await socket.closed() == 4403
    (ban,) = await site.models.bans.of_user(ben.user_id)
    sql = "select extract(epoch from until_at - now())::float8 / 3600 from address_bans"
    assert round((await rows(site.models, sql))[0][0]) == 72
    assert (await browser.post(f"/admin/bans/{ban.ban_id}", action="lift")).status == 422
    assert (
        await browser.post(f"/admin/bans/{ban.ban_id}", action="lift", reason="Papers seen.")
    ).status == 303
    assert (await browser.post(f"/admin/bans/{ban.ban_id}", action="lift", reason="Again.")).status == 409
    assert await acts(site) == ["ban.permanent.addresses", "ban.lift"]


async def test_a_ban_is_enforced_on_another_process_within_a_second(
    site: Running, make_site: MakeSite, person: MakePerson
) -> None:
    ben = await person("Ben")
    elsewhere = await make_site()
    socket = await elsewhere.invites(ben)
    _, browser = await at_work(site, "Mia")
    fields = {"kind": "temporary", "rule": "spam", "reason": "Adverts.", "hours": "24"}
    started = time.monotonic()
    await asyncio.gather(
        browser.post(f"/admin/people/{ben.user_id}", **fields), socket.receive("ban", seconds=within(1))
    )
    assert time.monotonic() - started < within(1)
    assert await socket.closed() == 4403


async def test_an_appeal_goes_to_another_moderator(site: Running, person: MakePerson) -> None:
    ben = await person("Ben")
    _, mia = await at_work(site, "Mia")
    _, noah = await at_work(site, "Noah")
    fields = {"kind": "permanent", "rule": "spam", "reason": "Adverts."}
    await mia.post(f"/admin/people/{ben.user_id}", **fields)
    notice = await site.models.ban_notices.find(ben.user_id)
    assert notice is not None
    (token,) = parse_qs(urlsplit(notice.appeal_url).query)["token"]
    await site.models.appeals.file(token, "It was <b>not</b> me.")
    path = f"/admin/appeals/{notice.ban.ban_id}"
    assert "so somebody else decides" in (await mia.get("/admin/appeals")).text
    assert (await mia.post(path, verdict="overturned", reply="Sorry.")).status == 403
    page = (await noah.get("/admin/appeals")).text
    assert "&lt;b&gt;not" in page
    for faulty in ({"verdict": "overturned"}, {"verdict": "maybe", "reply": "Hm."}):
        assert (await noah.post(path, **faulty)).status == 422
    assert await bans_of(site.models, ben) == [("permanent", True)]
    assert (await noah.post(path, verdict="overturned", reply="Sorry.")).headers[
        "Location"
    ] == "/admin/appeals"
    assert await bans_of(site.models, ben) == [("permanent", False)]
    assert await acts(site) == ["ban.permanent", "ban.lift", "appeal.overturned"]
    assert (await noah.post(path, verdict="upheld", reply="No.")).status == 409


async def test_a_malformed_cursor_is_rejected(site: Running) -> None:
    _, browser = await at_work(site, "Mia")
    assert (await browser.get("/admin/reports?after=x")).status == 422
    assert "Nothing is waiting" in (await browser.get("/admin/reports")).text
