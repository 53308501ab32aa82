"""/calls/<id>: for its two users, live and ended; for others it does not exist."""

from __future__ import annotations

import uuid

from tests.conftest import MakePerson, Running
from tests.support.scenes import advance, freeze, in_call

HTML = {"Accept": "text/html"}


async def test_a_live_call_as_json(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person, seconds=90, connected=False)
    freeze(site)
    answers = [
        (await site.client.get(f"/calls/{scene.call_id}", token=who.token)).json
        for who in (scene.people.anna, scene.people.ben)
    ]
    for answer, peer in zip(answers, (scene.people.ben, scene.people.anna), strict=True):
        assert answer["peerUser"]["userId"] == peer.user_id
        assert (answer["callId"], answer["agreedSeconds"]) == (scene.call_id, 90)
        assert (answer["state"], answer["remainingMs"]) == ("connecting", 90_000)
        assert answer["serverNow"] == site.models.clock.now_ms()
        assert "endedReason" not in answer
    assert answers[0]["polite"] is not answers[1]["polite"]


async def test_the_response_contains_the_current_clock(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person, seconds=90, connected=False)
    freeze(site)
    await scene.connect()
    advance(31, site)
    anna = scene.people.anna
    answer = (await site.client.get(f"/calls/{scene.call_id}", token=anna.token)).json
    assert (answer["state"], answer["remainingMs"]) == ("running", 59_000)
    await scene.end()
    answer = (await site.client.get(f"/calls/{scene.call_id}", token=anna.token)).json
    assert (answer["state"], answer["endedReason"], answer["connectedSeconds"]) == ("ended", "hung_up", 31)
    assert "remainingMs" not in answer


async def test_other_users_get_not_found(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    cleo = await person("Cleo")
    mine = await site.client.get(f"/calls/{scene.call_id}", token=cleo.token)
    none = await site.client.get(f"/calls/{uuid.uuid4()}", token=cleo.token)
    assert mine.status == none.status == 404
    assert mine.body == none.body
    assert (await site.client.get(f"/calls/{scene.call_id}")).status == 401


async def test_the_pages_of_a_live_and_an_ended_call(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    cookie = {"Cookie": f"session={scene.people.anna.token}"}
    page = await site.client.get(f"/calls/{scene.call_id}", headers=HTML | cookie)
    assert page.status == 200
    assert "Ben" in page.text
    await scene.end()
    page = await site.client.get(f"/calls/{scene.call_id}", headers=HTML | cookie)
    assert page.status == 200
    assert "One of you ended the call" in page.text
