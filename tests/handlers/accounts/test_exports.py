"""Exports over HTTP: only to the owner, as a file, once an hour."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile

from models.safety.bans import NewBan
from tests.conftest import MakePerson, Running
from tests.support.people.reports import MODERATOR, browser_of


async def test_an_api_client_and_a_browser_get_a_file(site: Running, person: MakePerson) -> None:
    ann, bo = await person("Ann"), await person("Bo")
    sent = await site.client.post("/settings/export", token=ann.token)
    browser = await browser_of(site, bo)
    assert "Download my data" in (await browser.get("/settings")).text
    for answer, own in ((sent, ann), (await browser.post("/settings/export"), bo)):
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/zip")
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["Cache-Control"] == "no-store"
        text = ZipFile(BytesIO(answer.body)).read("data.json").decode()
        assert own.user_id in text
        assert ({ann, bo} - {own}).pop().user_id not in text


async def test_the_hourly_limit_is_explained(site: Running, person: MakePerson) -> None:
    browser = await browser_of(site, await person("Ann"))
    assert (await browser.post("/settings/export")).status == 200
    again = await browser.post("/settings/export")
    assert (again.status, "once an hour" in again.text) == (429, True)
    assert int(again.headers["Retry-After"]) > 3000


async def test_only_the_owner_gets_the_export(site: Running, person: MakePerson) -> None:
    await person("Ann")
    assert (await site.client.post("/settings/export", {})).status == 401
    browser = await browser_of(site, await person("Bo"))
    browser.xsrf = "another"
    assert (await browser.post("/settings/export")).status == 403


async def test_a_banned_user_gets_it_by_the_token_of_the_ban(site: Running, person: MakePerson) -> None:
    ann, bo = await person("Ann"), await person("Bo")
    standing = await site.models.bans.decide(
        NewBan(user_id=ann.user_id, rule="spam", reason="Spam."), MODERATOR
    )
    token = await site.models.ban_notices.token(standing.ban_id)
    assert (await site.client.post("/settings/export", token=ann.token)).status == 403
    for wrong in ("", "x" * 32):
        assert (await site.client.post("/appeal/export", {"token": wrong})).status == 404
    browser = site.browser()
    assert "Download my data" in (await browser.get(f"/appeal?token={token}")).text
    sent = await browser.post("/appeal/export", token=token)
    assert (sent.status, sent.headers["Content-Type"]) == (200, "application/zip")
    text = ZipFile(BytesIO(sent.body)).read("data.json").decode()
    assert ann.user_id in text
    assert bo.user_id not in text
    assert (await site.client.post("/appeal/export", {"token": token})).status == 429
