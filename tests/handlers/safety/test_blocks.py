"""POST and DELETE /block: as JSON, as a form, with htmx."""

from __future__ import annotations

import pytest

from models.ids import new_id
from tests.conftest import MakePerson, Running
from tests.support.people.reports import browser_of


async def test_json_is_answered_204_for_any_user(site: Running, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    answers = [
        await site.client.send(method, "/block", token=anna.token, json={"userId": user_id})
        for method in ("POST", "DELETE")
        for user_id in (ben.user_id, new_id())
    ]
    assert {(answer.status, answer.body) for answer in answers} == {(204, b"")}


async def test_delete_accepts_the_id_in_the_query(site: Running, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    await site.client.post("/block", {"userId": ben.user_id}, token=anna.token)
    answer = await site.client.send("DELETE", f"/block?userId={ben.user_id}", token=anna.token)
    assert answer.status == 204
    assert not await site.models.blocks.blocked_among(anna.user_id, [ben.user_id])


@pytest.mark.parametrize("odd", [{}, {"userId": 5}, {"userId": "nobody"}])
async def test_a_malformed_id_is_an_invalid_field(
    site: Running, person: MakePerson, odd: dict[str, object]
) -> None:
    anna = await person("Anna")
    answer = await site.client.post("/block", odd, token=anna.token)
    assert (answer.status, answer.code) == (422, "invalid")
    assert "userId" in answer.json["error"]["fields"]


async def test_without_a_session_nothing_happens(site: Running, person: MakePerson) -> None:
    ben = await person("Ben")
    assert (await site.client.post("/block", {"userId": ben.user_id})).status == 401


async def test_a_form_returns_to_its_page_and_htmx_gets_the_undo_button(
    site: Running, person: MakePerson
) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    browser = await browser_of(site, anna)
    plain = await browser.post("/block", userId=ben.user_id, next="/history")
    assert (plain.status, plain.headers["Location"]) == (303, "/history")
    assert await site.models.blocks.blocked_among(anna.user_id, [ben.user_id])
    undone = await browser.post("/block", htmx=True, userId=ben.user_id, undo="true", next="//evil.example")
    assert undone.status == 200
    assert "Block" in undone.text
    assert "evil.example" not in undone.text
    assert not await site.models.blocks.blocked_among(anna.user_id, [ben.user_id])


async def test_a_form_without_its_token_is_rejected(site: Running, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    browser = await browser_of(site, anna)
    browser.xsrf = ""
    assert (await browser.post("/block", userId=ben.user_id)).status == 403
    assert not await site.models.blocks.blocked_among(anna.user_id, [ben.user_id])
