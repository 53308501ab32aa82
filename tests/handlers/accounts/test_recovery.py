"""Recovery over HTTP: by a code or a link, as JSON and in a browser."""

from __future__ import annotations

import pytest

from tests.conftest import MakePerson, MakeSite, Running
from tests.support.people.account_holders import OTHER_PASSWORD, PASSWORD, holder, is_signed_in, login
from tests.support.smtp_server import Mailbox, link_in

pytestmark = pytest.mark.usefixtures("mailbox")

ANN, NOBODY = "ann@example.com", "nobody@example.com"


def recovery(code: str, email: str = ANN) -> dict[str, str]:
    return {"email": email, "code": code, "password": OTHER_PASSWORD}


async def test_a_code_signs_in_and_ends_every_other_session(site: Running, person: MakePerson) -> None:
    ann, bo = await holder(site, person), await holder(site, person, "Bo")
    socket, other = await site.invites(ann.person), await site.invites(bo.person)
    answer = await site.client.post("/auth/recover", recovery(ann.codes[0]))
    assert answer.status == 200
    assert answer.json["userId"] == ann.person.user_id
    assert (await socket.receive("session:ended"))["reason"] == "password_changed"
    assert await socket.closed() == 4401
    assert "session:ended" not in await other.quiet()
    assert await is_signed_in(site, answer.json["sessionToken"])
    assert (await login(site, ANN, PASSWORD)).status == 401
    assert (await login(site, ANN, OTHER_PASSWORD)).status == 200


async def test_a_code_is_used_once_and_by_its_owner(site: Running, person: MakePerson) -> None:
    ann, _ = await holder(site, person), await holder(site, person, "Bo")
    for email in ("bo@example.com", NOBODY):
        answer = await site.client.post("/auth/recover", recovery(ann.codes[0], email))
        assert (answer.status, answer.code) == (401, "not_signed_in")
    assert (await site.client.post("/auth/recover", recovery(ann.codes[0]))).status == 200
    assert (await site.client.post("/auth/recover", recovery(ann.codes[0]))).status == 401
    assert (await site.client.post("/auth/recover", recovery("ABC"))).code == "invalid"


async def test_in_a_browser_with_a_code(site: Running, person: MakePerson) -> None:
    ann = await holder(site, person)
    browser = site.browser()
    assert "Recovery code" in (await browser.get("/recover")).text
    again = await browser.post("/auth/recover", htmx=True, **recovery("0000-0000-0000-0000"))
    assert again.status == 422
    assert again.text.lstrip().startswith('<section id="recover-code"')
    assert 'id="code-error"' in again.text
    assert OTHER_PASSWORD not in again.text
    answer = await browser.post("/auth/recover", **recovery(ann.codes[0]))
    assert (answer.status, answer.headers["Location"]) == (303, "/room")
    assert ANN in (await browser.get("/settings")).text


async def test_in_a_browser_with_a_link(site: Running, mailbox: Mailbox, person: MakePerson) -> None:
    await holder(site, person)
    browser = site.browser()
    await browser.get("/recover?by=mail")
    answer = await browser.post("/auth/recovery-link", email=ANN)
    assert (answer.status, answer.headers["Location"]) == (303, "/recover/sent")
    assert "a link is on its way" in (await browser.get("/recover/sent")).text
    path = link_in(await mailbox.letter())
    page = await browser.get(path)
    assert "Choose a new password" in page.text
    link = path.partition("?link=")[2]
    weak = await browser.post("/auth/reset", link=link, password="password1234")
    assert weak.status == 422
    assert f'value="{link}"' in weak.text
    answer = await browser.post("/auth/reset", link=link, password=OTHER_PASSWORD)
    assert (answer.status, answer.headers["Location"]) == (303, "/room")
    assert ANN in (await browser.get("/settings")).text
    assert "too old" in (await browser.get(path)).text
    assert (await browser.post("/auth/reset", link=link, password=PASSWORD)).status == 422


async def test_asking_for_a_link_reveals_nothing(site: Running, mailbox: Mailbox, person: MakePerson) -> None:
    await holder(site, person)
    answers = [await site.client.post("/auth/recovery-link", {"email": email}) for email in (NOBODY, ANN)]
    assert [(answer.status, answer.body) for answer in answers] == [(204, b"")] * 2
    await mailbox.letter()
    assert mailbox.recipients == [ANN, ANN], "the confirmation and the link"
    assert (await site.client.post("/auth/recovery-link", {"email": "ann"})).code == "invalid"


async def test_as_json_with_a_link(site: Running, mailbox: Mailbox, person: MakePerson) -> None:
    ann = await holder(site, person)
    await site.client.post("/auth/recovery-link", {"email": ANN})
    link = link_in(await mailbox.letter()).partition("?link=")[2]
    answer = await site.client.post("/auth/reset", {"link": link, "password": OTHER_PASSWORD})
    assert (answer.status, answer.json["userId"]) == (200, ann.person.user_id)
    assert not await is_signed_in(site, ann.token)
    dead = await site.client.post("/auth/reset", {"link": link, "password": PASSWORD})
    assert (dead.status, dead.code) == (401, "not_signed_in")


async def test_without_a_mail_server_only_codes_are_offered(make_site: MakeSite) -> None:
    site = await make_site(smtp_url=None, mail_from=None)
    assert "by e-mail" not in (await site.browser().get("/recover")).text
    assert "Recovery code" in (await site.browser().get("/recover?by=mail")).text
    assert (await site.client.post("/auth/recovery-link", {"email": ANN})).status == 404
