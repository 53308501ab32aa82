"""Introductions over HTTP: the link of a card, accepting it as a newcomer or member, the room."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.conftest import MakePerson, Person, Running
from tests.handlers.accounts.test_sign_up import FORM


async def link(site: Running, introducer: Person, person: Person) -> dict[str, str]:
    """The parameters of the link's URL."""
    answer = await site.client.post("/introductions", {"userId": person.user_id}, token=introducer.token)
    assert answer.status == 201
    address = urlsplit(answer.json["introduceUrl"])
    assert address.path == "/onboarding"
    return {name: values[0] for name, values in parse_qs(address.query).items()}


async def cards(site: Running, token: str) -> list[dict[str, Any]]:
    return list((await site.client.get("/room/queue", token=token)).json["users"])


async def test_a_member_who_accepts_sees_them_first_and_both_see_by_whom(
    site: Running, person: MakePerson
) -> None:
    ann, ben, cleo = await person("Ann"), await person("Ben"), await person("Cleo")
    for number in range(22):
        await site.invites(await person(f"Other {number}"))
    await site.invites(ben)
    await site.invites(cleo)
    token = (await link(site, ann, ben))["introduce"]
    answer = await site.client.post("/introductions/accept", {"introduce": token}, token=cleo.token)
    assert answer.json["introducedTo"]["userId"] == ben.user_id
    first, *rest = await cards(site, cleo.token)
    assert (first["userId"], first["introducedBy"]["userId"]) == (ben.user_id, ann.user_id)
    assert (len(rest), any("introducedBy" in card for card in rest)) == (19, False)
    (seen,) = [card for card in await cards(site, ben.token) if card["userId"] == cleo.user_id]
    assert seen["introducedBy"]["name"] == "Ann"
    await site.client.post("/block", {"userId": ben.user_id}, token=cleo.token)
    assert ben.user_id not in [card["userId"] for card in await cards(site, cleo.token)]


async def test_without_introductions_a_page_costs_no_further_statement(
    site: Running, person: MakePerson
) -> None:
    ann, ben, cleo = await person("Ann"), await person("Ben"), await person("Cleo")
    await site.invites(ben)
    before = site.models.db.statements_run
    await site.models.queue.page(ann.user_id)
    assert site.models.db.statements_run - before == 2
    token = (await link(site, ann, ben))["introduce"]
    await site.models.introductions.accept(token, cleo.user_id)
    before = site.models.db.statements_run
    await site.models.queue.page(cleo.user_id)
    assert site.models.db.statements_run - before == 3


async def test_a_newcomer_is_introduced_on_signing_up(site: Running, person: MakePerson) -> None:
    ann, ben = await person("Ann"), await person("Ben")
    token = (await link(site, ann, ben))["introduce"]
    browser = site.browser()
    page = await browser.get(f"/onboarding?introduce={token}")
    assert "Meet Ben" in page.text
    assert "Ann introduces you two" in page.text
    again = await browser.post("/auth/guest", **(FORM | {"name": ""}), introduce=token)
    assert (again.status, "Meet Ben" in again.text) == (422, True)
    await browser.post("/auth/guest", **FORM, introduce=token)
    seen = await site.models.introductions.seen_by(ben.user_id)
    assert [by.user_id for by in seen.values()] == [ann.user_id]


async def test_an_expired_link_does_not_prevent_sign_up(site: Running) -> None:
    browser = site.browser()
    assert "This introduction is over" in (await browser.get("/onboarding?introduce=nothing")).text
    answer = await browser.post("/auth/guest", **FORM, introduce="nothing")
    assert (answer.status, answer.headers["Location"]) == (303, "/onboarding")


async def test_a_member_confirms_an_introduction(site: Running, person: MakePerson) -> None:
    ann, ben = await person("Ann"), await person("Ben")
    token = (await link(site, ann, ben))["introduce"]
    browser = site.browser()
    await browser.get("/onboarding")
    await browser.post("/auth/guest", **FORM)
    page = await browser.get(f"/onboarding?introduce={token}&inviteCode=0123456789ABCDEF")
    assert "Yes, introduce us" in page.text
    assert await site.models.introductions.seen_by(ben.user_id) == {}
    answer = await browser.post("/introductions/accept", introduce=token, inviteCode="0123456789ABCDEF")
    assert answer.headers["Location"] == "/onboarding?inviteCode=0123456789ABCDEF"
    assert len(await site.models.introductions.seen_by(ben.user_id)) == 1
    gone = await browser.post("/introductions/accept", introduce="nothing")
    assert (gone.status, "This introduction is over" in gone.text) == (404, True)
    browser.xsrf = "forged"
    assert (await browser.post("/introductions/accept", introduce=token)).status == 403


async def test_the_link_has_the_introducers_code_while_it_has_uses(site: Running, person: MakePerson) -> None:
    ann, ben = await person("Ann"), await person("Ben")
    assert "inviteCode" not in await link(site, ann, ben)
    async with site.models.db.transaction() as on:
        await site.models.invite_codes.ensure_own(ann.user_id, on=on)
    own = await site.models.invite_codes.find_own(ann.user_id)
    assert own is not None
    assert (await link(site, ann, ben))["inviteCode"] == own.code


async def test_a_link_is_for_its_introducer(site: Running, person: MakePerson) -> None:
    ann, ben, cleo = await person("Ann"), await person("Ben"), await person("Cleo")
    unpaid = await person("Dan", access=None)
    query = f"/introductions?userId={ben.user_id}"
    token = (await link(site, ann, ben))["introduce"]
    mine = await site.client.get(query, token=ann.token)
    assert token in mine.json["introduceUrl"]
    page = await site.client.get(query, token=ann.token, headers={"Accept": "text/html"})
    assert "Introduce a friend to Ben" in page.text
    assert (await site.client.get(query, token=cleo.token)).status == 404
    assert (await site.client.get(query, token=unpaid.token)).status == 402
    own = {"introduce": token}
    assert (await site.client.post("/introductions/accept", own, token=ann.token)).status == 409
    assert (await site.client.post("/introductions/accept", own)).status == 401
    assert (await site.client.post("/introductions", {"userId": "x"}, token=ann.token)).status == 404
