"""Changing password, e-mail and recovery codes over HTTP: with the password, and only one's own."""

from __future__ import annotations

import pytest

from tests.conftest import MakePerson, Running
from tests.support.clients import Browser
from tests.support.people.account_holders import OTHER_PASSWORD, PASSWORD, holder, is_signed_in, login

ANN, BO = "ann@example.com", "bo@example.com"
CHANGES = {
    "/settings/password": {"password": OTHER_PASSWORD},
    "/settings/email": {"email": "new@example.org"},
    "/settings/recovery-codes": {},
}


async def signed_in_browser(site: Running) -> Browser:
    browser = site.browser()
    await browser.get("/login")
    await browser.post("/auth/login", email=ANN, password=PASSWORD)
    await browser.get("/settings")
    return browser


@pytest.mark.parametrize("path", CHANGES)
async def test_the_wrong_password_is_refused(site: Running, person: MakePerson, path: str) -> None:
    ann = await holder(site, person)
    sent = CHANGES[path] | {"currentPassword": OTHER_PASSWORD}
    answer = await site.client.post(path, sent, token=ann.token)
    assert (answer.status, answer.code) == (403, "not_allowed")
    assert set(answer.json["error"]["fields"]) == {"currentPassword"}
    assert await is_signed_in(site, ann.token)
    assert (await login(site, ANN)).status == 200


@pytest.mark.parametrize("path", CHANGES)
async def test_a_visitor_and_a_guest_have_nothing_to_change(
    site: Running, person: MakePerson, path: str
) -> None:
    sent = CHANGES[path] | {"currentPassword": PASSWORD}
    assert (await site.client.post(path, sent)).status == 401
    answer = await site.client.post(path, sent, token=(await person("Guest")).token)
    assert (answer.status, answer.code) == (409, "conflict")


async def test_a_new_password_ends_only_the_other_sessions_of_its_account(
    site: Running, person: MakePerson
) -> None:
    ann, bo = await holder(site, person), await holder(site, person, "Bo")
    other = await site.models.sessions.create(ann.person.user_id)
    sent = CHANGES["/settings/password"] | {"currentPassword": PASSWORD}
    assert (await site.client.post("/settings/password", sent, token=ann.token)).status == 204
    signed_in = [await is_signed_in(site, token) for token in (ann.token, bo.token, other.token)]
    assert signed_in == [True, True, False]
    assert (await login(site, ANN, OTHER_PASSWORD)).status == 200
    assert (await login(site, BO, PASSWORD)).status == 200


async def test_new_codes_for_an_api_client(site: Running, person: MakePerson) -> None:
    ann = await holder(site, person)
    answer = await site.client.post(
        "/settings/recovery-codes", {"currentPassword": PASSWORD}, token=ann.token
    )
    assert len(set(answer.json["recoveryCodes"]) - set(ann.codes)) == 8
    left = await site.client.get("/settings/recovery-codes", token=ann.token)
    assert left.json == {"codesLeft": 8}


@pytest.mark.parametrize("path", CHANGES)
async def test_in_a_browser(site: Running, person: MakePerson, path: str) -> None:
    await holder(site, person)
    browser = await signed_in_browser(site)
    name = {"recovery-codes": "codes"}.get(path.split("/")[-1], path.split("/")[-1])
    again = await browser.post(path, htmx=True, currentPassword=OTHER_PASSWORD, **CHANGES[path])
    assert again.status == 422
    assert again.text.lstrip().startswith(f'<section id="account-{name}"')
    assert f'id="{name}-current-error"' in again.text
    assert OTHER_PASSWORD not in again.text
    page = await browser.post(path, currentPassword=OTHER_PASSWORD, **CHANGES[path])
    assert page.status == 422
    assert page.text.count('<details class="fold" open>') == 1
    goes = "/settings/recovery-codes" if name == "codes" else f"/settings?saved={name}"
    done = await browser.post(path, currentPassword=PASSWORD, **CHANGES[path])
    assert (done.status, done.headers["Location"]) == (303, goes)
    assert (await browser.get(goes)).status == 200


async def test_a_taken_address_is_refused(site: Running, person: MakePerson) -> None:
    await holder(site, person, "Bo")
    await holder(site, person)
    browser = await signed_in_browser(site)
    page = await browser.post("/settings/email", htmx=True, currentPassword=PASSWORD, email=BO)
    assert page.status == 409
    assert 'id="email-new-error"' in page.text


@pytest.mark.parametrize("path", CHANGES)
async def test_without_the_form_s_token_nothing_changes(site: Running, person: MakePerson, path: str) -> None:
    await holder(site, person)
    browser = await signed_in_browser(site)
    browser.xsrf = "forged"
    answer = await browser.post(path, currentPassword=PASSWORD, **CHANGES[path])
    assert answer.status == 403
    assert (await login(site, ANN)).status == 200


async def test_codes_are_shown_only_to_account_holders(site: Running, person: MakePerson) -> None:
    guest = await person("Guest")
    answer = await site.client.get("/settings/recovery-codes", token=guest.token)
    assert answer.status == 303
    assert (await site.client.get("/settings/recovery-codes")).status == 401
