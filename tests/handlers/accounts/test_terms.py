"""New terms: which members are asked, and which requests need the answer first."""

from __future__ import annotations

import pytest

from models.wiring import Models
from tests.conftest import MakePerson, MakeSite, Person, Running
from tests.support.clients import Browser
from tests.support.scenes import in_call, rows

NEW = "2027-01"


@pytest.fixture
def renewed(io_loop, make_site: MakeSite, site: Running) -> Running:
    """The site after its terms have changed."""
    return io_loop.run_sync(lambda: make_site(terms_version=NEW))


def browser_of(site: Running, person: Person) -> Browser:
    browser = site.browser()
    browser.cookies["session"] = person.token
    return browser


async def accepted(models: Models, person: Person) -> list[str]:
    return [one.version for one in await models.terms.of(person.user_id)]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/room/queue"),
        ("GET", "/introductions?userId=x"),
        ("POST", "/payment/create-checkout"),
        ("POST", "/payment/apply-code"),
        ("POST", "/media/selfie"),
    ],
)
async def test_what_needs_the_answer(renewed: Running, person: MakePerson, method: str, path: str) -> None:
    anna = await person("Anna")
    answer = await renewed.client.send(method, path, token=anna.token)
    assert (answer.status, answer.code) == (403, "not_allowed")
    assert answer.json["error"]["fields"] == {"acceptUrl": "/terms/accept"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/user/me", 200),
        ("GET", "/history", 200),
        ("GET", "/receipt", 200),
        ("GET", "/settings", 200),
        ("POST", "/settings/export", 200),
        ("POST", "/block", 422),
        ("POST", "/report", 422),
        ("POST", "/auth/logout", 204),
        ("POST", "/settings/delete", 422),
    ],
)
async def test_what_does_not_need_it(
    renewed: Running, person: MakePerson, method: str, path: str, status: int
) -> None:
    anna = await person("Anna")
    assert (await renewed.client.send(method, path, token=anna.token)).status == status


async def test_a_program_accepts(renewed: Running, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    asked = (await renewed.client.get("/terms/accept", token=anna.token)).json
    assert (asked["version"], asked["isAccepted"]) == (NEW, False)
    assert asked["text"].startswith("# Terms")
    wrong = await renewed.client.post("/terms/accept", {"version": "older", "accept": True}, token=anna.token)
    assert wrong.status == 409
    vague = await renewed.client.post("/terms/accept", {"version": NEW}, token=anna.token)
    assert (vague.status, list(vague.json["error"]["fields"])) == (422, ["accept"])
    assert (await renewed.client.get("/room/queue", token=anna.token)).status == 403
    right = await renewed.client.post("/terms/accept", {"version": NEW, "accept": True}, token=anna.token)
    assert right.status == 204
    assert (await renewed.client.get("/room/queue", token=anna.token)).status == 200
    assert (await renewed.client.get("/room/queue", token=ben.token)).status == 403
    assert (await accepted(renewed.models, anna))[1:] == [NEW]


async def test_a_browser_is_asked_and_goes_on_where_it_was(renewed: Running, person: MakePerson) -> None:
    browser = browser_of(renewed, await person("Anna"))
    sent_away = await browser.get("/room")
    assert (sent_away.status, sent_away.headers["Location"]) == (303, "/terms/accept?next=%2Froom")
    asked = await browser.get("/terms/accept?next=%2Froom")
    assert "The terms have changed" in asked.text
    assert "Version 2027-01" in (await browser.get("/terms")).text
    again = await browser.post("/terms/accept", version=NEW, next="/room")
    assert again.status == 422
    assert "Tick the box" in again.text
    done = await browser.post("/terms/accept", version=NEW, accept="true", next="/room")
    assert (done.status, done.headers["Location"]) == (303, "/room")
    assert (await browser.get("/room")).status == 200
    assert (await browser.get("/terms/accept")).headers["Location"] == "/room"


async def test_next_never_leaves_the_site(renewed: Running, person: MakePerson) -> None:
    browser = browser_of(renewed, await person("Anna"))
    await browser.get("/terms/accept")
    done = await browser.post("/terms/accept", version=NEW, accept="true", next="//evil.example")
    assert done.headers["Location"] == "/room"


async def test_nobody_without_a_session(renewed: Running) -> None:
    assert (await renewed.client.get("/terms/accept")).status == 401
    assert (await renewed.client.post("/terms/accept", {"accept": True})).status == 401


async def test_a_call_goes_on_and_the_room_is_closed(
    site: Running, renewed: Running, person: MakePerson
) -> None:
    scene = await in_call(site, person)
    anna = scene.people.anna
    seat = await renewed.relay(anna, scene.call_id)
    assert (await seat.receive("call:state"))["callId"] == scene.call_id
    socket = await renewed.invites(anna, join=False)
    socket.send("queue:join", id="join")
    refused = await socket.receive(id="join")
    assert (refused["type"], refused["code"]) == ("error", "not_allowed")
    assert refused["fields"] == {"acceptUrl": "/terms/accept"}
    socket.send("call:invite", id="ring", toUserId=scene.people.ben.user_id, requestedSeconds=300)
    assert (await socket.receive(id="ring"))["reason"] == "no_access"


async def test_a_form_that_showed_older_terms_signs_nobody_up(renewed: Running) -> None:
    form = {"name": "Anna", "gender": "female", "adult": True}
    late = await renewed.client.post("/auth/guest", form | {"termsVersion": "older"})
    assert late.status == 409
    assert await rows(renewed.models, "select 1 from users") == []
    assert (await renewed.client.post("/auth/guest", form | {"termsVersion": NEW})).status == 201
    assert (await renewed.client.post("/auth/guest", form)).status == 201


async def test_programs_of_the_operator_are_not_asked(renewed: Running) -> None:
    robot = (await renewed.models.robots.seed())[0]
    member = await renewed.models.sessions.find(robot.token)
    assert member
    assert member.has_accepted_terms
