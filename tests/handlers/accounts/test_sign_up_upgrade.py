"""Upgrade of a guest to an account: API clients, browsers, and refused requests."""

from __future__ import annotations

from tests.conftest import MakePerson, Running
from tests.support.clients import Browser
from tests.support.people.account_holders import PASSWORD, holder, is_signed_in, upgraded

FORM = {"name": "Ann", "gender": "female", "adult": "true"}
KEEP = {"email": "ann@example.com", "password": PASSWORD}


async def guest(site: Running) -> Browser:
    browser = site.browser()
    await browser.get("/onboarding")
    await browser.post("/auth/guest", **FORM)
    return browser


async def test_an_api_client_gets_a_new_token_and_its_codes(site: Running, person: MakePerson) -> None:
    ann = await person("Ann")
    answer = await site.client.post("/auth/upgrade", KEEP, token=ann.token)
    assert answer.status == 200
    assert set(answer.json) == {"sessionToken", "userId", "expiresAt", "access", "recoveryCodes"}
    assert answer.json["userId"] == ann.user_id
    assert answer.json["sessionToken"] != ann.token
    assert len(answer.json["recoveryCodes"]) == 8
    assert "Set-Cookie" not in answer.headers
    assert await is_signed_in(site, answer.json["sessionToken"])
    assert not await is_signed_in(site, ann.token)


async def test_the_sockets_stay_open_and_keep_working(site: Running, person: MakePerson) -> None:
    ann = await person("Ann")
    socket = await site.invites(ann)
    await upgraded(site, ann, "ann@example.com")
    await site.models.sweep.once()
    socket.send("queue:leave", id="1")
    await socket.receive("queue:state", id="1")
    socket.send("queue:join", id="2")
    assert (await socket.receive("queue:state", id="2"))["available"] is True
    socket.send("call:invite", id="3", toUserId=ann.user_id, requestedSeconds=300)
    assert (await socket.receive("call:declined", id="3"))["reason"] == "invalid_target"


async def test_a_browser_gets_another_cookie_and_sees_its_codes_once(site: Running) -> None:
    browser = await guest(site)
    before = browser.cookies["session"]
    await browser.get("/settings")
    answer = await browser.post("/auth/upgrade", **KEEP)
    assert (answer.status, answer.headers["Location"]) == (303, "/settings/recovery-codes")
    after = browser.cookies["session"]
    assert after not in ("", before)
    assert not await is_signed_in(site, before)
    line = next(line for line in answer.headers.get_list("Set-Cookie") if line.startswith("recovery-codes="))
    assert "HttpOnly" in line
    assert "Path=/settings/recovery-codes" in line
    shown = await browser.get("/settings/recovery-codes")
    assert shown.text.count("<li><code>") == 8
    assert shown.headers["Cache-Control"] == "no-store"
    assert after not in shown.text
    again = await browser.get("/settings/recovery-codes")
    assert "<code>" not in again.text
    assert "8 codes are left" in again.text


async def test_htmx_gets_a_redirect(site: Running) -> None:
    browser = await guest(site)
    await browser.get("/settings")
    answer = await browser.post("/auth/upgrade", htmx=True, **KEEP)
    assert (answer.status, answer.headers["HX-Redirect"]) == (200, "/settings/recovery-codes")


async def test_the_form_comes_back_with_its_faults_and_no_password(site: Running) -> None:
    browser = await guest(site)
    await browser.get("/settings")
    fragment = await browser.post("/auth/upgrade", htmx=True, email="ann@", password="password1234")
    assert fragment.status == 422
    assert fragment.text.lstrip().startswith('<section id="account-keep"')
    assert 'id="keep-email-error"' in fragment.text
    assert 'value="ann@"' in fragment.text
    page = await browser.post("/auth/upgrade", email="ann@example.com", password="password1234")
    assert page.status == 422
    assert 'id="keep-password-error"' in page.text
    assert page.text.count('id="error-summary"') == 1
    assert "password1234" not in fragment.text + page.text


async def test_a_taken_address_is_a_conflict_and_stays_with_its_account(
    site: Running, person: MakePerson
) -> None:
    ann, bo = await holder(site, person, "Ann"), await person("Bo")
    answer = await site.client.post("/auth/upgrade", KEEP, token=bo.token)
    assert (answer.status, answer.code) == (409, "conflict")
    assert set(answer.json["error"]["fields"]) == {"email"}
    assert await is_signed_in(site, bo.token)
    assert await is_signed_in(site, ann.token)
    browser = await guest(site)
    await browser.get("/settings")
    page = await browser.post("/auth/upgrade", **KEEP)
    assert page.status == 409
    assert 'id="keep-email-error"' in page.text


async def test_a_request_upgrades_only_its_own_guest(site: Running, person: MakePerson) -> None:
    bo = await person("Bo")
    assert (await site.client.post("/auth/upgrade", KEEP)).status == 401
    sent = KEEP | {"userId": bo.user_id, "access": "comped"}
    ann = await person("Ann", access=None)
    answer = await site.client.post("/auth/upgrade", sent, token=ann.token)
    assert (answer.json["userId"], answer.json["access"]) == (ann.user_id, "unpaid")


async def test_twice_is_a_conflict(site: Running, person: MakePerson) -> None:
    ann = await holder(site, person, "Ann")
    again = KEEP | {"email": "other@example.com"}
    answer = await site.client.post("/auth/upgrade", again, token=ann.token)
    assert (answer.status, answer.code) == (409, "conflict")


async def test_a_form_without_its_token_is_refused(site: Running) -> None:
    browser = await guest(site)
    browser.xsrf = "forged"
    assert (await browser.post("/auth/upgrade", **KEEP)).status == 403
    browser.cookies = {"session": browser.cookies["session"]}
    assert (await browser.get("/settings")).text.count("Keep your account") == 1


async def test_the_settings_offer_it_to_guests_and_name_the_address_to_holders(site: Running) -> None:
    browser = await guest(site)
    offer = (await browser.get("/settings")).text
    assert "Keep your account" in offer
    assert "only key to your profile" in offer
    await browser.post("/auth/upgrade", **KEEP)
    kept = (await browser.get("/settings")).text
    assert "Keep your account" not in kept
    assert "ann@example.com" in kept
