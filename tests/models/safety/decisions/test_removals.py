"""Removals: a moderator takes a selfie or video off a card, and the owner sees the reason."""

from __future__ import annotations

from tests.conftest import MakePerson, MakeSite, Running, jpeg
from tests.support.media.clips import clip
from tests.support.people.reports import browser_of
from tests.support.people.staff import at_work
from tests.support.scenes import is_listed, rows

WHY = "This is a film poster, not you."


async def test_a_user_without_a_selfie_leaves_the_queue_in_every_process(
    site: Running, person: MakePerson, make_site: MakeSite
) -> None:
    far = await make_site()
    ann, ben = await person("Ann"), await person("Ben")
    here, there = await site.invites(ann), await far.invites(ann)
    assert await is_listed(site, ann)
    worker, mia = await at_work(site, "Mia")
    shown = await site.models.members.get(ann.user_id)
    assert shown.selfie_id is not None
    fields = {"kind": "selfie", "mediaId": shown.selfie_id, "reason": WHY}
    answer = await mia.post(f"/admin/people/{ann.user_id}/remove", **fields)
    assert (answer.status, answer.headers["Location"]) == (303, f"/admin/people/{ann.user_id}")
    for socket in (here, there):
        assert (await socket.receive("queue:state"))["available"] is False
        socket.send("queue:join", id="again")
        assert (await socket.receive(id="again"))["code"] == "selfie_required"
    assert not await is_listed(site, ann)
    assert (await site.client.get("/room/queue", token=ben.token)).json["users"] == []
    assert (await site.client.get(f"/media/{shown.selfie_id}", token=ben.token)).status == 404
    assert (await site.client.get("/room/queue", token=ann.token)).code == "selfie_required"
    assert await rows(site.models, "select kind, id::text from tombstones") == [("media", shown.selfie_id)]
    (entry, *_) = await site.models.audit.page()
    assert (entry.actor, entry.action, entry.target) == (
        worker.staff_id, "selfie.remove", f"user {ann.user_id}",
    )  # fmt: skip


async def test_the_owner_sees_the_reason_until_there_is_a_new_file(site: Running, person: MakePerson) -> None:
    ann = await person("Ann")
    for kind, data, page in (
        ("selfie", jpeg(), "/onboarding"),
        ("video", clip(), "/settings"),
    ):
        await site.client.upload(f"/media/{kind}", kind, data, token=ann.token)
        shown = await site.models.members.get(ann.user_id)
        media_id = shown.selfie_id if kind == "selfie" else shown.video_id
        await site.models.decisions.removals.remove(ann.user_id, kind, media_id or "", "operator", WHY)
        browser = await browser_of(site, ann)
        assert WHY in (await browser.get(page)).text
        me = (await site.client.get("/user/me", token=ann.token)).json
        assert me[f"{kind}Url"] is None
        assert [(one["kind"], one["reason"]) for one in me["removed"]] == [(kind, WHY)]
        exported = await site.models.exports.data(ann.user_id)
        assert (exported["removals"][-1]["kind"], exported["removals"][-1]["reason"]) == (kind, WHY)
        await site.client.upload(f"/media/{kind}", kind, data, token=ann.token)
        assert "removed" not in (await site.client.get("/user/me", token=ann.token)).json
        assert WHY not in (await browser.get("/settings")).text


async def test_a_file_replaced_since_stays(site: Running, person: MakePerson) -> None:
    ann = await person("Ann")
    _, mia = await at_work(site, "Mia")
    before = (await site.models.members.get(ann.user_id)).selfie_id or ""
    await site.client.upload("/media/selfie", "selfie", jpeg(), token=ann.token)
    path = f"/admin/people/{ann.user_id}/remove"
    assert (await mia.post(path, kind="selfie", mediaId=before, reason=WHY)).status == 409
    now = (await site.models.members.get(ann.user_id)).selfie_id or ""
    for fields, status in (
        ({"kind": "video", "mediaId": now, "reason": WHY}, 409),
        ({"kind": "name", "mediaId": now, "reason": WHY}, 422),
        ({"kind": "selfie", "mediaId": now, "reason": " "}, 422),
        ({"kind": "selfie", "mediaId": "x", "reason": WHY}, 404),
    ):
        assert (await mia.post(path, **fields)).status == status, fields
    assert (await site.models.members.get(ann.user_id)).selfie_id == now
    assert await rows(site.models, "select 1 from removals") == []


async def test_a_moderator_sees_the_intro_video(site: Running, person: MakePerson) -> None:
    ann = await person("Ann")
    _, mia = await at_work(site, "Mia")
    path = f"/admin/people/{ann.user_id}"
    assert "No intro video" in (await mia.get(path)).text
    assert (await mia.get(f"{path}/video")).status == 404
    await site.client.upload("/media/video", "video", clip(), token=ann.token)
    assert f'src="{path}/video"' in (await mia.get(path)).text
    headers = {"Cookie": f"staff={mia.cookies['staff']}", "Range": "bytes=0-99"}
    part = await site.client.get(f"{path}/video", headers=headers)
    assert (part.status, len(part.body)) == (206, 100)
    assert part.headers["Content-Type"] == "video/webm"
    assert part.headers["Cache-Control"] == "no-store"
