"""/notice: a notice by anyone, its status page, and the decision in the console."""

from __future__ import annotations

import re
from typing import Any

import pytest

from models.safety.notices import NewNotice
from tests.conftest import Running
from tests.support.people.staff import at_work
from tests.support.scenes import rows

NOTICE: dict[str, Any] = {
    "kind": "illegal", "where": "A card named Ben, today at 8", "why": "It shows my passport.",
    "email": "ann@example.com", "goodFaith": True,
}  # fmt: skip


async def test_a_notice_needs_no_session_and_gets_a_status_page(site: Running) -> None:
    answer = await site.client.post("/notice", NOTICE | {"name": "Ann"})
    assert answer.status == 201
    assert set(answer.json) == {"reference", "statusUrl"}
    status = await site.client.get(answer.json["statusUrl"])
    assert status.json["reference"] == answer.json["reference"]
    assert (status.json["outcome"], status.json["dueAt"]) == (None, None)
    assert (await site.client.get(answer.json["statusUrl"][:-1] + "~")).status == 404
    assert (await site.client.get("/notice/" + "a" * 32)).status == 404


@pytest.mark.parametrize(("kind", "hours"), [("minor", 24), ("intimate", 48)])
async def test_short_forms_have_a_deadline(site: Running, kind: str, hours: int) -> None:
    answer = await site.client.post("/notice", NOTICE | {"kind": kind, "why": ""})
    assert answer.status == 201
    (notice,) = await site.models.notices.queue()
    assert notice.due_at is not None
    assert (notice.due_at - notice.created_at).total_seconds() == hours * 3600


async def test_every_faulty_field_is_named(site: Running) -> None:
    answer = await site.client.post("/notice", {"kind": "x", "where": " ", "email": "ann", "name": "a" * 201})
    assert answer.status == 422
    assert set(answer.json["error"]["fields"]) == {"kind", "where", "why", "email", "name", "goodFaith"}
    for text in ("a\x00b", "\u200b"):
        assert (await site.client.post("/notice", NOTICE | {"where": text})).status == 422
    assert await rows(site.models, "select 1 from notices") == []


async def test_an_address_has_a_limit(site: Running) -> None:
    for _ in range(site.site.config.notices_per_hour):
        assert (await site.client.post("/notice", NOTICE)).status == 201
    answer = await site.client.post("/notice", NOTICE)
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert len(await site.models.notices.queue()) == site.site.config.notices_per_hour


async def test_a_robot_is_refused_and_a_person_can_send_the_notice_again(site: Running) -> None:
    answer = await site.client.post("/notice", NOTICE | {"emptyField": "http://example.com"})
    assert (answer.status, set(answer.json["error"]["fields"])) == (422, {"emptyField"})
    browser = site.browser()
    page = await browser.get("/notice")
    assert 'name="emptyField" tabindex="-1" autocomplete="off"' in page.text
    form = NOTICE | {"goodFaith": "true", "emptyField": "Ann"}
    again = await browser.post("/notice", **form)
    assert again.status == 422
    assert "taken for a robot" in again.text
    # The field is shown, and empty again; what was written is kept.
    assert 'value="Ann"' not in again.text
    assert 'for="notice-empty"' in again.text
    assert "It shows my passport." in again.text
    assert await rows(site.models, "select 1 from notices") == []
    assert (await browser.post("/notice", **form | {"emptyField": ""})).status == 303


async def test_the_form_keeps_what_was_written(site: Running) -> None:
    browser = site.browser()
    page = await browser.get("/notice?kind=intimate")
    assert '<input type="hidden" name="kind" value="intimate">' in page.text
    again = await browser.post("/notice", kind="illegal", where="Ben's card", email="x", goodFaith="true")
    assert again.status == 422
    assert "Ben&#39;s card" in again.text
    done = await browser.post("/notice", **NOTICE | {"goodFaith": "true"})
    assert done.status == 303
    page = await browser.get(done.headers["Location"])
    assert "We have your notice" in page.text
    assert page.headers["Cache-Control"] == "no-store"


async def test_a_notice_is_decided_once_and_its_sender_sees_the_outcome(site: Running) -> None:
    receipt = (await site.client.post("/notice", NOTICE)).json
    (notice,) = await site.models.notices.queue()
    _, browser = await at_work(site, "Mia")
    assert "It shows my passport." in (await browser.get("/admin/notices")).text
    path = f"/admin/notices/{notice.notice_id}"
    assert (await browser.post(path, outcome="perhaps", reply="Hm")).status == 422
    done = await browser.post(path, outcome="action", reply="The card is gone.")
    assert (done.status, done.headers["Location"]) == (303, "/admin/notices")
    assert (await browser.post(path, outcome="none", reply="After all not.")).status == 409
    status = (await site.client.get(receipt["statusUrl"])).json
    assert (status["outcome"], status["reply"]) == ("action", "The card is gone.")
    assert "We have acted on your notice." in (await site.browser().get(receipt["statusUrl"])).text
    assert await site.models.notices.queue() == []


async def test_the_console_has_a_page_for_every_fifty_notices(site: Running) -> None:
    for number in range(51):
        new = NewNotice(
            kind="other",
            where=f"Card {number:02}",
            why="so",
            email=f"{number}@example.com",
            has_good_faith=True,
        )
        await site.models.notices.file(new, f"192.0.2.{number}")
    _, browser = await at_work(site, "Mia")
    first = (await browser.get("/admin/notices")).text
    assert ("Card 49" in first, "Card 50" in first) == (True, False)
    more = re.search(r'href="(/admin/notices\?after=[0-9a-f-]+)"', first)
    assert more is not None
    second = (await browser.get(more[1])).text
    assert ("Card 50" in second, "Card 49" in second, "after=" in second) == (True, False, False)
    assert (await browser.get("/admin/notices?after=x")).status == 422
