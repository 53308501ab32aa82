"""Exports over HTTP: only to the owner, as a file, once an hour."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile

from tests.conftest import MakePerson, Running
from tests.support.people.reports import browser_of


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
