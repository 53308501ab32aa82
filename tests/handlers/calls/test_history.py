"""/history: a user's past calls, as JSON and as a page."""

from __future__ import annotations

from base64 import b64encode

from tests.conftest import MakePerson, Running
from tests.support.scenes import in_call

HTML = {"Accept": "text/html"}


async def test_a_call_is_in_the_history_of_both_with_its_lines(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    scene.a.send("chat:message", text="<b>hi</b>", id="1")
    await scene.b.receive("chat:message")
    assert (await site.client.get("/history", token=scene.people.anna.token)).json["calls"] == []
    await scene.end()
    for who, other in ((scene.people.anna, scene.people.ben), (scene.people.ben, scene.people.anna)):
        answer = (await site.client.get("/history", token=who.token)).json
        assert answer["nextCursor"] is None
        (call,) = answer["calls"]
        assert (call["callId"], call["endedReason"], call["connectedSeconds"]) == (
            scene.call_id,
            "hung_up",
            0,
        )
        assert call["partner"]["userId"] == other.user_id
        (line,) = call["messages"]
        assert set(line) == {"messageId", "from", "text", "at"}
        assert (line["from"], line["text"]) == (scene.people.anna.user_id, "<b>hi</b>")
    page = await site.client.get("/history", headers=HTML | {"Cookie": f"session={scene.people.ben.token}"})
    assert page.status == 200
    assert "&lt;b&gt;hi&lt;/b&gt;" in page.text
    assert "<b>hi</b>" not in page.text


async def test_a_history_is_for_its_owner(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    await scene.end()
    cleo = await person("Cleo")
    assert (await site.client.get("/history", token=cleo.token)).json["calls"] == []
    assert (await site.client.get("/history")).status == 401


async def test_a_bad_cursor_is_422(site: Running, person: MakePerson) -> None:
    anna = await person("Anna")
    odd = b64encode(f"2026-01-01T00:00:00+20:00|{anna.user_id}".encode()).decode()
    for cursor in ("x", "%C3%A9", "MXwx", odd):
        answer = await site.client.get(f"/history?cursor={cursor}", token=anna.token)
        assert (answer.status, set(answer.json["error"]["fields"])) == (422, {"cursor"})


async def test_users_without_access_can_read_their_history(site: Running, person: MakePerson) -> None:
    anna = await person("Anna", access=None, selfie=False)
    assert (await site.client.get("/history", token=anna.token)).status == 200
