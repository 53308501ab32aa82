"""The room: the page, and the queue as JSON and as cards."""

from __future__ import annotations

import pytest

from tests.conftest import MakePerson, Running

HTML = {"Accept": "text/html"}


async def test_the_queue_as_json(site: Running, person: MakePerson) -> None:
    anna = await person("Anna")
    people = [await person(f"P{number}", gender="male") for number in range(3)]
    for one in people:
        await site.invites(one)
    answer = await site.client.get("/room/queue?limit=2", token=anna.token)
    assert set(answer.json) == {"users", "nextCursor", "onlineUsers"}
    assert answer.json["onlineUsers"] == 3
    first = answer.json["users"][0]
    assert set(first) == {"userId", "name", "gender", "selfieUrl"}
    assert first["gender"] == "male"
    assert first["selfieUrl"].startswith("/media/")
    rest = await site.client.get(f"/room/queue?limit=2&cursor={answer.json['nextCursor']}", token=anna.token)
    assert rest.json["nextCursor"] is None
    ids = [card["userId"] for card in answer.json["users"] + rest.json["users"]]
    assert sorted(ids) == sorted(one.user_id for one in people)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=51", "limit=-1", "limit=x", "limit=1.5", "limit=²", "limit=1" + "0" * 5000,
        "limit=1000001", "cursor=x", "cursor=%C3%A9",
    ],
)  # fmt: skip
async def test_a_bad_query_is_422_and_names_the_field(site: Running, person: MakePerson, query: str) -> None:
    anna = await person("Anna")
    answer = await site.client.get(f"/room/queue?{query}", token=anna.token)
    assert (answer.status, answer.code) == (422, "invalid")
    assert set(answer.json["error"]["fields"]) == {query.split("=")[0]}


async def test_the_pages_show_cards_with_escaped_names(site: Running, person: MakePerson) -> None:
    anna, eve = await person("Anna"), await person("Eve<b>")
    await site.invites(eve)
    cookie = {"Cookie": f"session={anna.token}"}
    page = await site.client.get("/room", headers=HTML | cookie)
    assert page.status == 200
    assert "Eve&lt;b&gt;" in page.text
    assert "Eve<b>" not in page.text
    cards = await site.client.get("/room/queue", headers=HTML | cookie | {"HX-Request": "true"})
    assert "Eve&lt;b&gt;" in cards.text
    assert "<html" not in cards.text


@pytest.mark.parametrize(
    ("access", "selfie", "place"),
    [(None, True, "/paywall"), (None, False, "/paywall"), ("comp", False, "/onboarding")],
)
async def test_users_are_redirected_to_a_missing_step(
    site: Running, person: MakePerson, access: str | None, selfie: bool, place: str
) -> None:
    anna = await person("Anna", access=access, selfie=selfie)
    answer = await site.client.get("/room", headers=HTML | {"Cookie": f"session={anna.token}"})
    assert (answer.status, answer.headers["Location"]) == (303, place)
    nobody = await site.client.get("/room", headers=HTML)
    assert (nobody.status, nobody.headers["Location"]) == (303, "/onboarding")
