"""Contacts over HTTP: handles in the settings, answers after the call, and the history."""

from __future__ import annotations

from models.ids import new_id
from tests.conftest import MakePerson, Running
from tests.support.people.reports import browser_of
from tests.support.scenes import in_call


async def test_handles_are_changed_one_by_one(site: Running, person: MakePerson) -> None:
    anna = await person("Anna")

    async def patch(handles: dict[str, object]) -> dict[str, object]:
        answer = await site.client.send("PATCH", "/user/me", token=anna.token, json={"handles": handles})
        assert answer.status == 200, answer.text
        return dict(answer.json["handles"])

    assert await patch({"instagram": "https://instagram.com/Anna.Sky", "x": "@anna"}) == {
        "instagram": "anna.sky", "x": "anna",
    }  # fmt: skip
    assert await patch({"x": None, "discord": "anna"}) == {"instagram": "anna.sky", "discord": "anna"}
    faulty = await site.client.send(
        "PATCH", "/user/me", token=anna.token, json={"handles": {"x": "no way", "orkut": "anna"}}
    )
    assert (faulty.status, set(faulty.json["error"]["fields"])) == (422, {"x", "handles"})


async def test_the_settings_form_shows_the_link(site: Running, person: MakePerson) -> None:
    browser = await browser_of(site, await person("Anna"))
    saved = await browser.post("/user/me", htmx=True, instagram="@Anna.Sky", x="", tiktok="")
    assert saved.status == 200
    assert 'href="https://www.instagram.com/anna.sky/"' in saved.text
    faulty = await browser.post("/user/me", htmx=True, instagram="Anna Sky")
    assert faulty.status == 422
    assert 'id="settings-handles"' in faulty.text
    assert 'value="Anna Sky"' in faulty.text
    assert (await browser.post("/user/me", snapchat="anna")).status == 303
    assert 'value="anna.sky"' in (await browser.get("/settings")).text


async def test_the_answer_is_always_204_and_404_for_other_users(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    carl = await person("Carl")
    await scene.end()
    path = f"/calls/{scene.call_id}/contacts"
    for one, is_yes in [(scene.people.anna, True), (scene.people.anna, False), (scene.people.ben, True)]:
        answer = await site.client.post(path, {"yes": is_yes}, token=one.token)
        assert (answer.status, answer.body) == (204, b"")
    stranger = await site.client.post(path, {"yes": True}, token=carl.token)
    random = await site.client.post(f"/calls/{new_id()}/contacts", {"yes": True}, token=carl.token)
    assert (stranger.status, stranger.body) == (404, random.body)
    assert (await site.client.post(path, {}, token=scene.people.anna.token)).status == 422


async def test_the_summary_asks_and_the_history_shows_contacts(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    anna, ben = scene.people.anna, scene.people.ben
    await site.models.users.update(ben.user_id, handles={"tiktok": "ben.dance"})
    await scene.end()
    browser, path = await browser_of(site, anna), f"/calls/{scene.call_id}"
    before = await browser.get(path)
    assert "Share contacts?" in before.text
    said = await browser.post(f"{path}/contacts", htmx=True, yes="true")
    assert "You said yes" in said.text
    assert "ben.dance" not in (await browser.get(path)).text
    await site.client.post(f"{path}/contacts", {"yes": True}, token=ben.token)
    link = 'href="https://www.tiktok.com/@ben.dance"'
    assert link in (await browser.get(path)).text
    assert link in (await browser.get("/history")).text
    (mine,) = (await site.client.get("/history", token=anna.token)).json["calls"]
    assert mine["contacts"] == {"tiktok": "ben.dance"}
    (theirs,) = (await site.client.get("/history", token=ben.token)).json["calls"]
    assert theirs["contacts"] == {}


async def test_a_no_and_no_answer_look_the_same_to_the_peer(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    anna, ben = scene.people.anna, scene.people.ben
    await scene.end()
    path = f"/calls/{scene.call_id}"
    await site.client.post(f"{path}/contacts", {"yes": True}, token=anna.token)
    browser = await browser_of(site, anna)

    async def seen() -> tuple[str, object]:
        page = (await browser.get(path)).text
        start = page.index('id="call-contacts"')
        words = page[start : page.index("<form", start)]
        return words, (await site.client.get("/history", token=anna.token)).json

    silent = await seen()
    await site.client.post(f"{path}/contacts", {"yes": False}, token=ben.token)
    assert await seen() == silent
