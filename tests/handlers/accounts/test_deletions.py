"""Deletion over HTTP: the word, the password, the confirmation, and what other users see at once."""

from __future__ import annotations

import pytest

from tests.conftest import MakePerson, Running
from tests.support.people.account_holders import PASSWORD, holder, login
from tests.support.people.reports import browser_of
from tests.support.scenes import in_call

QUICK = {"confirm": "DELETE"}


async def test_a_guest_is_deleted_at_once_and_others_are_not(site: Running, person: MakePerson) -> None:
    ann, bo = await person("Ann"), await person("Bo")
    ann_socket, bo_socket = await site.invites(ann), await site.invites(bo)
    queue = await site.client.get("/room/queue", token=bo.token)
    assert [user["name"] for user in queue.json["users"]] == ["Ann"]
    assert (await site.client.post("/settings/delete", QUICK, token=ann.token)).status == 204
    assert (await ann_socket.receive("session:ended"))["reason"] == "deleted"
    assert await ann_socket.closed() == 4401
    assert ann.user_id in (await bo_socket.receive("queue:update"))["left"]
    assert (await site.client.get("/user/me", token=ann.token)).status == 401
    assert (await site.client.get("/user/me", token=bo.token)).status == 200
    assert (await site.client.get("/room/queue", token=bo.token)).json["users"] == []


async def test_a_call_ends_for_the_other_side_as_a_hang_up(site: Running, person: MakePerson) -> None:
    call = await in_call(site, person)
    assert (await site.client.post("/settings/delete", QUICK, token=call.people.anna.token)).status == 204
    assert (await call.b.receive("call:end"))["reason"] == "hung_up"
    (past,) = (await site.client.get("/history", token=call.people.ben.token)).json["calls"]
    assert (past["partner"], past["endedReason"]) == (None, "hung_up")
    page = await site.client.get(f"/calls/{call.call_id}", token=call.people.ben.token)
    assert (page.status, page.json["peerUser"]) == (200, None)


async def test_an_account_needs_its_password(site: Running, person: MakePerson) -> None:
    ann = await holder(site, person)
    refused = await site.client.post("/settings/delete", QUICK | {"currentPassword": "x"}, token=ann.token)
    assert (refused.status, set(refused.json["error"]["fields"])) == (403, {"currentPassword"})
    sent = QUICK | {"currentPassword": PASSWORD}
    assert (await site.client.post("/settings/delete", sent, token=ann.token)).status == 204
    assert (await login(site, "ann@example.com")).status == 401


async def test_without_the_word_nothing_happens(site: Running, person: MakePerson) -> None:
    ann = await person("Ann")
    refused = await site.client.post("/settings/delete", {}, token=ann.token)
    assert (refused.status, set(refused.json["error"]["fields"])) == (422, {"confirm"})
    assert (await site.client.get("/user/me", token=ann.token)).status == 200
    assert (await site.client.post("/settings/delete", QUICK)).status == 401


@pytest.mark.parametrize("htmx", [False, True])
async def test_a_browser_gets_the_explanation_and_the_confirmation(
    site: Running, person: MakePerson, htmx: bool
) -> None:
    browser = await browser_of(site, await person("Ann"))
    assert "What stays" in (await browser.get("/settings/delete")).text
    again = await browser.post("/settings/delete", htmx=htmx, confirm="no")
    assert (again.status, "Type DELETE to confirm" in again.text) == (422, True)
    gone = await browser.post("/settings/delete", htmx=htmx, confirm="delete")
    assert gone.headers["HX-Redirect" if htmx else "Location"] == "/deleted"
    assert not browser.cookies["session"]
    assert "all gone" in (await browser.get("/deleted")).text


async def test_a_lost_event_does_not_keep_a_deleted_user_connected(site: Running, person: MakePerson) -> None:
    """Deleted without an event in this process: the sweep reads it from PostgreSQL."""
    call = await in_call(site, person)
    await site.models.erasure.erase(call.people.anna.user_id)
    await site.models.sweep.once()
    assert (await call.b.receive("call:end"))["reason"] == "hung_up"
