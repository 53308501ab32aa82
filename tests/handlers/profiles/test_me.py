"""GET, PATCH /user/me, and the settings form."""

from __future__ import annotations

from tests.conftest import MakePerson, Running
from tests.handlers.accounts.test_sign_up import FORM
from tests.support.people.account_holders import holder


async def test_me_has_every_field(site: Running, person: MakePerson) -> None:
    ann = await person("Ann", access=None, selfie=False)
    assert (await site.client.get("/user/me", token=ann.token)).json == {
        "userId": ann.user_id,
        "name": "Ann",
        "gender": "female",
        "access": "unpaid",
        "selfieUrl": None,
        "videoUrl": None,
        "handles": {},
        "totalCalls": 0,
        "successfulCalls": 0,
        "connectedSeconds": 0,
        "isAccount": False,
    }


async def test_only_the_owner_sees_the_e_mail(site: Running, person: MakePerson) -> None:
    ann, bo = await holder(site, person), await person("Bo")
    me = (await site.client.get("/user/me", token=ann.token)).json
    assert (me["isAccount"], me["email"]) == (True, "ann@example.com")
    for path in ("/user/me", "/room/queue", "/history"):
        assert "ann@example.com" not in (await site.client.get(path, token=bo.token)).text


async def test_me_is_private(site: Running, person: MakePerson) -> None:
    answer = await site.client.get("/user/me", token=(await person()).token)
    assert answer.headers["Cache-Control"] == "no-store"
    assert (await site.client.get("/user/me")).code == "not_signed_in"


async def test_a_change_affects_only_named_fields_of_its_owner(site: Running, person: MakePerson) -> None:
    ann, bo = await person("Ann"), await person("Bo")
    answer = await site.client.send("PATCH", "/user/me", token=ann.token, json={"name": " Anna "})
    assert (answer.status, answer.json["name"], answer.json["gender"]) == (200, "Anna", "female")
    assert (await site.client.get("/user/me", token=bo.token)).json["name"] == "Bo"


async def test_read_only_fields_do_not_change(site: Running, person: MakePerson) -> None:
    ann = await person("Ann", access=None)
    sent = {"access": "paid", "userId": "x", "usesRemaining": 99, "successfulCalls": 99, "selfieUrl": "x"}
    answer = await site.client.send("PATCH", "/user/me", token=ann.token, json=sent)
    assert answer.json["access"] == "unpaid"
    assert answer.json["successfulCalls"] == 0


async def test_a_fault_names_its_field(site: Running, person: MakePerson) -> None:
    ann = await person("Ann")
    for sent, field in (({"name": "\u200b"}, "name"), ({"gender": "x"}, "gender"), ({"name": 1}, "name")):
        answer = await site.client.send("PATCH", "/user/me", token=ann.token, json=sent)
        assert (answer.status, set(answer.json["error"]["fields"])) == (422, {field})


async def test_the_form_saves_with_and_without_scripts(site: Running) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    await browser.post("/auth/guest", **FORM)
    await browser.get("/settings")
    plain = await browser.post("/user/me", name="Anna", gender="unspecified")
    assert (plain.status, plain.headers["Location"]) == (303, "/settings")
    fragment = await browser.post("/user/me", htmx=True, name="Anne", gender="unspecified")
    assert fragment.status == 200
    assert fragment.text.lstrip().startswith('<section id="settings-profile"')
    assert 'value="Anne"' in fragment.text


async def test_the_form_comes_back_with_its_faults(site: Running) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    await browser.post("/auth/guest", **FORM)
    await browser.get("/settings")
    page = await browser.post("/user/me", name=" ", gender="female")
    assert page.status == 422
    assert "<html" in page.text
    assert 'id="name-error"' in page.text
    fragment = await browser.post("/user/me", htmx=True, name=" ", gender="female")
    assert fragment.status == 422
    assert fragment.text.lstrip().startswith('<section id="settings-profile"')


async def test_a_cookie_alone_changes_nothing(site: Running) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    await browser.post("/auth/guest", **FORM)
    browser.xsrf = ""
    assert (await browser.post("/user/me", name="Eve", gender="female")).status == 403
    cookie = {"Cookie": f"session={browser.cookies['session']}"}
    answer = await site.client.send("PATCH", "/user/me", json={"name": "Eve"}, headers=cookie)
    assert (answer.status, answer.code) == (403, "not_allowed")
