"""Upload and download of selfies; a refused upload is refused early and leaves nothing."""

from __future__ import annotations

import asyncio

import pytest

from models.ids import new_id
from models.profiles.selfies import MOST_BYTES
from tests.conftest import MakePerson, Running, jpeg
from tests.handlers.accounts.test_sign_up import FORM
from tests.support.clients import multipart


async def selfie_url(site: Running, token: str) -> str:
    answer = await site.client.upload("/media/selfie", "selfie", jpeg(), token=token)
    assert answer.status == 201
    return str(answer.json["selfieUrl"])


async def test_an_api_client_sends_a_selfie_and_sees_it(site: Running, person: MakePerson) -> None:
    ann = await person("Ann", access=None, selfie=False)
    url = await selfie_url(site, ann.token)
    assert (await site.client.get("/user/me", token=ann.token)).json["selfieUrl"] == url
    picture = await site.client.get(url, token=ann.token)
    assert picture.status == 200
    assert picture.headers["Content-Type"] == "image/jpeg"
    assert picture.headers["Cache-Control"] == "private, max-age=86400, immutable"
    assert picture.headers["Content-Disposition"] == "inline"
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert picture.body.startswith(b"\xff\xd8")
    assert int(picture.headers["Content-Length"]) == len(picture.body)


async def test_a_cached_picture_is_not_sent_again(site: Running, person: MakePerson) -> None:
    ann = await person("Ann")
    url = (await site.client.get("/user/me", token=ann.token)).json["selfieUrl"]
    etag = (await site.client.get(url, token=ann.token)).headers["Etag"]
    again = await site.client.get(url, token=ann.token, headers={"If-None-Match": etag})
    assert (again.status, again.body) == (304, b"")
    head = await site.client.send("HEAD", url, token=ann.token)
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["Content-Length"]) > 0


async def test_members_see_it_and_others_get_a_404_as_for_an_unknown_id(
    site: Running, person: MakePerson
) -> None:
    ann, member, unpaid = await person("Ann"), await person("Bo"), await person("Cy", access=None)
    url = (await site.client.get("/user/me", token=ann.token)).json["selfieUrl"]
    assert (await site.client.get(url, token=member.token)).status == 200
    nothing = await site.client.get(f"/media/{new_id()}", token=member.token)
    for answer in (await site.client.get(url, token=unpaid.token), await site.client.get(url)):
        assert (answer.status, answer.json) == (404, nothing.json)


async def test_a_browser_without_scripts_goes_on_to_the_next_step(site: Running) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    await browser.post("/auth/guest", **FORM)
    await browser.get("/onboarding")
    answer = await browser.upload("/media/selfie", "selfie", jpeg())
    assert (answer.status, answer.headers["Location"]) == (303, "/paywall")
    again = await browser.upload("/media/selfie", "selfie", jpeg())
    assert again.headers["Location"] == "/settings"


async def test_a_form_without_its_token_is_refused_and_changes_nothing(site: Running) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    await browser.post("/auth/guest", **FORM)
    browser.xsrf = "forged"
    assert (await browser.upload("/media/selfie", "selfie", jpeg())).status == 403
    cookie = {"Cookie": f"session={browser.cookies['session']}"}
    assert (await site.client.get("/user/me", headers=cookie)).json["selfieUrl"] is None


async def test_the_token_may_come_in_the_header(site: Running) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    await browser.post("/auth/guest", **FORM)
    body, kind = multipart("selfie", "me.jpg", "image/jpeg", jpeg())
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"Content-Type": kind, "Cookie": cookies, "X-XSRFToken": browser.xsrf, "HX-Request": "true"}
    answer = await site.client.send("POST", "/media/selfie", body=body, headers=headers)
    assert (answer.status, answer.headers["HX-Redirect"]) == (200, "/paywall")


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "invalid"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_media"),
        (b"<html>", 415, "unsupported_media"),
        (jpeg()[:200], 422, "invalid"),
        (bytes(MOST_BYTES + 1), 413, "too_large"),
        (bytes(MOST_BYTES + 1024 * 1024), 413, "too_large"),
        (bytes(4 * MOST_BYTES - 1), 413, "too_large"),
    ],
    ids=["empty", "svg", "html", "truncated", "just too large", "too large by its length", "drained"],
)
async def test_an_invalid_selfie_is_refused(
    site: Running, person: MakePerson, data: bytes, status: int, code: str
) -> None:
    ann = await person("Ann", selfie=False)
    answer = await site.client.upload("/media/selfie", "selfie", data, token=ann.token)
    assert (answer.status, answer.code) == (status, code)
    assert (await site.client.get("/user/me", token=ann.token)).json["selfieUrl"] is None


async def test_the_form_comes_back_with_its_fault(site: Running) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    await browser.post("/auth/guest", **FORM)
    await browser.get("/onboarding")
    for data, status in ((jpeg()[:200], 422), (b"<svg/>", 415), (bytes(MOST_BYTES + 1), 413)):
        answer = await browser.upload("/media/selfie", "selfie", data)
        assert answer.status == status
        assert 'id="selfie-error"' in answer.text


async def test_other_content_types_are_refused_before_the_body(site: Running, person: MakePerson) -> None:
    ann = await person("Ann", selfie=False)
    answer = await site.client.send("POST", "/media/selfie", token=ann.token, body=jpeg())
    assert (answer.status, answer.code) == (415, "unsupported_media")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"no boundary here"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken\r\n--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n\r\n" * 200 + b"--x--\r\n"),
    ],
)
async def test_a_malformed_form_is_refused(site: Running, person: MakePerson, kind: str, body: bytes) -> None:
    ann = await person("Ann", selfie=False)
    headers = {"Content-Type": kind}
    answer = await site.client.send("POST", "/media/selfie", token=ann.token, body=body, headers=headers)
    assert answer.status in (400, 422)


async def test_a_visitor_is_refused_before_the_body(site: Running) -> None:
    body, kind = multipart("selfie", "me.jpg", "image/jpeg", bytes(6 * 1024 * 1024))
    answer = await site.client.send("POST", "/media/selfie", body=body, headers={"Content-Type": kind})
    assert (answer.status, answer.code) == (401, "not_signed_in")


async def test_the_413_comes_before_the_body(site: Running, person: MakePerson) -> None:
    ann = await person("Ann", selfie=False)
    port = int(site.base_url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("localhost", port)
    head = (
        f"POST /media/selfie HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ann.token}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 20000000\r\n\r\n"
    )
    writer.write(head.encode())
    assert await reader.readline() == b"HTTP/1.1 413 Request Entity Too Large\r\n"
    writer.close()


async def test_the_413_cuts_short_a_body_without_a_length(site: Running, person: MakePerson) -> None:
    ann = await person("Ann", selfie=False)
    port = int(site.base_url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("localhost", port)
    head = (
        f"POST /media/selfie HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ann.token}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    writer.write(head.encode() + (b"100000\r\n" + bytes(0x100000) + b"\r\n") * 9)
    assert await reader.readline() == b"HTTP/1.1 413 Request Entity Too Large\r\n"
    writer.close()


async def test_an_aborted_upload_leaves_nothing(site: Running, person: MakePerson) -> None:
    ann = await person("Ann", selfie=False)
    port = int(site.base_url.rpartition(":")[2])
    _reader, writer = await asyncio.open_connection("localhost", port)
    head = (
        f"POST /media/selfie HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ann.token}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n--x\r\n"
    )
    writer.write(head.encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await site.client.get("/user/me", token=ann.token)).json["selfieUrl"] is None
