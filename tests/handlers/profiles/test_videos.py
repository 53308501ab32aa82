"""Intro videos over HTTP: uploaded, read in ranges, removed; a refused or aborted upload leaves nothing."""

from __future__ import annotations

import asyncio

import pytest

from models.ids import new_id
from models.profiles.videos import MOST_BYTES
from tests.conftest import MakePerson, Person, Running
from tests.handlers.accounts.test_sign_up import FORM
from tests.support.clients import multipart
from tests.support.media.clips import clip
from tests.support.scenes import until


async def video_url(site: Running, person: Person, data: bytes = b"") -> str:
    answer = await site.client.upload("/media/video", "video", data or clip(), token=person.token)
    assert answer.status == 201
    return str(answer.json["videoUrl"])


async def me(site: Running, person: Person) -> dict:
    return (await site.client.get("/user/me", token=person.token)).json


async def test_a_video_is_sent_and_shown_on_the_card(site: Running, person: MakePerson) -> None:
    ann, ben = await person("Ann"), await person("Ben")
    await site.invites(ann)
    url = await video_url(site, ann)
    assert (await me(site, ann))["videoUrl"] == url
    (card,) = (await site.client.get("/room/queue", token=ben.token)).json["users"]
    assert card["videoUrl"] == url
    whole = await site.client.get(url, token=ben.token)
    assert whole.headers["Content-Type"] == "video/webm"
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["Cache-Control"] == "private, max-age=86400, immutable"
    part = await site.client.get(url, token=ben.token, headers={"Range": "bytes=10-19"})
    assert (part.status, part.body) == (206, whole.body[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole.body)}"


async def test_users_who_may_not_see_the_owner_get_a_404_as_for_an_unknown_id(
    site: Running, person: MakePerson
) -> None:
    ann, unpaid = await person("Ann"), await person("Cy", access=None)
    blocker = await person("Dan")
    url = await video_url(site, ann)
    await site.client.post("/block", {"userId": ann.user_id}, token=blocker.token)
    nothing = await site.client.get(f"/media/{new_id()}", token=blocker.token)
    ranged = {"Range": "bytes=0-1"}
    for token in (unpaid.token, blocker.token, None):
        answer = await site.client.get(url, token=token, headers=ranged)
        assert (answer.status, answer.json) == (404, nothing.json)


async def test_ranges_of_a_long_video(site: Running, person: MakePerson) -> None:
    """Across chunks, the end, beyond the end, with an outdated ETag, and HEAD."""
    ann = await person("Ann")
    data = bytes(range(256)) * 9000
    async with site.models.db.transaction() as on:
        media_id = await site.models.media.save(ann.user_id, "video", "video/webm", data, on=on)
    url, edge = f"/media/{media_id}", 1024 * 1024

    async def part(asked: str, **headers: str) -> tuple[int, bytes, str | None]:
        answer = await site.client.get(url, token=ann.token, headers={"Range": asked, **headers})
        return answer.status, answer.body, answer.headers.get("Content-Range")

    size = len(data)
    assert await part(f"bytes={edge - 5}-{edge + 4}") == (
        206,
        data[edge - 5 : edge + 5],
        f"bytes {edge - 5}-{edge + 4}/{size}",
    )
    assert await part("bytes=-7") == (206, data[-7:], f"bytes {size - 7}-{size - 1}/{size}")
    assert await part("bytes=0-") == (206, data, f"bytes 0-{size - 1}/{size}")
    assert await part(f"bytes={size}-") == (416, b"", f"bytes */{size}")
    assert await part("bytes=0-1", **{"If-Range": '"other"'}) == (200, data, None)
    head = await site.client.send("HEAD", url, token=ann.token)
    assert (head.body, head.headers["Content-Length"]) == (b"", str(size))


async def test_a_video_can_be_removed(site: Running, person: MakePerson) -> None:
    ann, ben = await person("Ann"), await person("Ben")
    url, theirs = await video_url(site, ann), await video_url(site, ben)
    assert (await site.client.send("DELETE", "/media/video", token=ann.token)).status == 204
    assert (await site.client.get(url, token=ann.token)).status == 404
    assert (await me(site, ann))["videoUrl"] is None
    assert (await me(site, ben))["videoUrl"] == theirs
    assert (await site.client.send("DELETE", "/media/video")).status == 401


async def test_a_browser_without_scripts(site: Running) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    await browser.post("/auth/guest", **FORM)
    assert 'action="/media/video"' in (await browser.get("/settings")).text
    answer = await browser.upload("/media/video", "video", clip())
    assert (answer.status, answer.headers["Location"]) == (303, "/settings?saved=video#settings-video")
    page = await browser.get("/settings?saved=video")
    assert "Your video is on your card." in page.text
    again = await browser.upload("/media/video", "video", b"<svg/>")
    assert again.status == 415
    assert 'id="video-error"' in again.text
    removed = await browser.post("/media/video/remove")
    assert (removed.status, removed.headers["Location"]) == (303, "/settings")
    assert 'action="/media/video/remove"' not in (await browser.get("/settings")).text


async def test_a_form_without_its_token_is_refused_and_changes_nothing(site: Running) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    await browser.post("/auth/guest", **FORM)
    browser.xsrf = "forged"
    assert (await browser.upload("/media/video", "video", clip())).status == 403
    browser.xsrf = "forged"
    assert (await browser.post("/media/video/remove")).status == 403
    cookie = {"Cookie": f"session={browser.cookies['session']}"}
    assert (await site.client.get("/user/me", headers=cookie)).json["videoUrl"] is None


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "invalid"), (b"<svg/>", 415, "unsupported_media"), (b"<html>", 415, "unsupported_media"),
        (b"\x1aE\xdf\xa3" + bytes(200), 422, "invalid"), (bytes(MOST_BYTES + 1), 413, "too_large"),
        (bytes(MOST_BYTES + 1024 * 1024), 413, "too_large"),
    ],
    ids=["empty", "svg", "html", "damaged", "just too large", "too large by its length"],
)  # fmt: skip
async def test_an_invalid_video_is_refused(
    site: Running, person: MakePerson, data: bytes, status: int, code: str
) -> None:
    ann = await person("Ann")
    answer = await site.client.upload("/media/video", "video", data, token=ann.token)
    assert (answer.status, answer.code) == (status, code)
    assert (await me(site, ann))["videoUrl"] is None


async def test_a_form_without_a_video_and_other_content_types_are_refused(
    site: Running, person: MakePerson
) -> None:
    ann = await person("Ann")
    body, kind = multipart("other", "x", "video/webm", clip())
    headers = {"Content-Type": kind}
    answer = await site.client.send("POST", "/media/video", token=ann.token, body=body, headers=headers)
    assert (answer.status, answer.json["error"]["fields"].keys()) == (422, {"video"})
    assert (await site.client.send("POST", "/media/video", token=ann.token, body=clip())).status == 415
    assert (await site.client.send("POST", "/media/video", body=body, headers=headers)).status == 401


async def test_an_aborted_upload_leaves_nothing(site: Running, person: MakePerson) -> None:
    ann = await person("Ann")
    port = int(site.base_url.rpartition(":")[2])
    _reader, writer = await asyncio.open_connection("localhost", port)
    head = (
        f"POST /media/video HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ann.token}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n--x\r\n"
    )
    writer.write(head.encode())
    await until(lambda: len(site.models.videos.uploads) == 1)
    writer.close()
    await until(lambda: len(site.models.videos.uploads) == 0)
    await site.site.requests.drained()
    assert site.site.requests.is_idle
    assert (await me(site, ann))["videoUrl"] is None
