"""Hanging up over HTTP."""

from __future__ import annotations

from models.ids import new_id
from tests.conftest import MakePerson, Running
from tests.support.people.reports import browser_of
from tests.support.scenes import in_call


async def test_both_sockets_get_the_end_and_a_repetition_changes_nothing(
    site: Running, person: MakePerson
) -> None:
    scene = await in_call(site, person)
    path = f"/calls/{scene.call_id}/end"
    for _ in range(2):
        answer = await site.client.post(path, {}, token=scene.people.anna.token)
        assert (answer.status, answer.body) == (204, b"")
    for seat in (scene.a, scene.b):
        assert (await seat.receive("call:end"))["reason"] == "hung_up"
        assert await seat.closed() == 1000
    told = (await site.client.get(f"/calls/{scene.call_id}", token=scene.people.ben.token)).json
    assert (told["state"], told["endedReason"]) == ("ended", "hung_up")


async def test_only_for_the_two_users(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    carl = await person("Carl")
    for call_id in (scene.call_id, new_id()):
        assert (await site.client.post(f"/calls/{call_id}/end", {}, token=carl.token)).status == 404
    assert (await site.client.get(f"/calls/{scene.call_id}", token=scene.people.anna.token)).json[
        "state"
    ] != "ended"


async def test_a_form_leads_to_the_page_of_the_call(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    browser = await browser_of(site, scene.people.anna)
    answer = await browser.post(f"/calls/{scene.call_id}/end")
    assert (answer.status, answer.headers["Location"]) == (303, f"/calls/{scene.call_id}")
