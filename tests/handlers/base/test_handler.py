"""Behaviour common to all handlers: access checks, answers, and the form of errors."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest

from tests.conftest import MakePerson, MakeSite, Running
from tests.support.clients import Answer
from tests.support.scenes import ban

HTML = {"Accept": "text/html"}


async def test_the_checks_run_in_the_documented_order(site: Running, person: MakePerson) -> None:
    nobody = await person("N", access=None, selfie=False)
    unseen = await person("U", selfie=False)
    allowed = await person("A")
    answers = [(await site.client.get("/room/queue", token=token)) for token in
               (None, "x", nobody.token, unseen.token, allowed.token)]  # fmt: skip
    assert [answer.status for answer in answers] == [401, 401, 402, 403, 200]
    codes = ["not_signed_in", "not_signed_in", "payment_required", "selfie_required"]
    assert [answer.code for answer in answers[:4]] == codes
    await ban(site.models, nobody)
    answer = await site.client.get("/room/queue", token=nobody.token)
    assert (answer.status, answer.code) == (403, "banned")


async def test_an_error_is_json_a_page_or_a_fragment(site: Running, person: MakePerson) -> None:
    anna = await person("Anna")
    path = "/calls/00000000-0000-4000-8000-000000000000"
    told = await site.client.get(path, token=anna.token)
    assert (told.status, told.code) == (404, "not_found")
    assert set(told.json) == {"error"}
    assert told.headers["Content-Type"].startswith("application/json")
    cookie = {"Cookie": f"session={anna.token}"}
    page = await site.client.get(path, headers=HTML | cookie)
    assert page.status == 404
    assert page.text.lstrip().lower().startswith("<!doctype html>")
    fragment = await site.client.get(path, headers=HTML | cookie | {"HX-Request": "true"})
    assert fragment.status == 404
    assert "<html" not in fragment.text
    assert "<section" in fragment.text or "<div" in fragment.text


async def test_a_json_answer_sets_no_cookie_and_is_not_kept(site: Running, person: MakePerson) -> None:
    anna = await person("Anna")
    for path in ("/user/me", "/room/queue", "/history", "/stats/live", "/nowhere"):
        answer = await site.client.get(path, token=anna.token)
        assert "Set-Cookie" not in answer.headers, path
        assert answer.headers["Cache-Control"] == "no-store", path


async def test_an_unknown_url_is_404_and_a_wrong_method_lists_the_right_ones(site: Running) -> None:
    assert (await site.client.get("/nowhere")).code == "not_found"
    assert (await site.client.post("/nowhere", {})).code == "not_found"
    answer = await site.client.post("/history", {})
    assert (answer.status, answer.code) == (405, "method")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert (await site.client.send("DELETE", "/auth/guest")).headers["Allow"] == "POST, OPTIONS"


async def test_head_has_the_headers_of_get_without_a_body(site: Running) -> None:
    answer = await site.client.send("HEAD", "/stats/live")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 0


BODIES = [b"{", b"[]", b"null", b"7", b'"x"', b"\xff", b"[" * 100_000, b'{"name":' + b"9" * 5000 + b"}",
          b'{"name":' + b'{"a":' * 50_000 + b"}"]  # fmt: skip


@pytest.mark.parametrize("number", range(len(BODIES)))
async def test_a_body_that_cannot_be_read_is_a_bad_request(site: Running, number: int) -> None:
    json = {"Content-Type": "application/json"}
    answer = await site.client.post("/auth/guest", body=BODIES[number], headers=json)
    assert (answer.status, answer.code) == (400, "bad_request")


@pytest.mark.parametrize(
    ("name", "value"),
    [("name", 7), ("name", None), ("adult", "yes"), ("adult", 1), ("gender", []), ("name", {})],
)
async def test_a_field_of_the_wrong_kind_is_named(site: Running, name: str, value: object) -> None:
    sent = {"name": "Ann", "gender": "female", "adult": True} | {name: value}
    answer = await site.client.post("/auth/guest", sent)
    assert (answer.status, answer.code) == (422, "invalid")
    assert set(answer.json["error"]["fields"]) == {name}


async def test_a_form_that_is_not_utf_8_is_a_bad_request(site: Running) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    body = f"_xsrf={browser.xsrf}&name=%ff%fe&gender=female&adult=true".encode()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"_xsrf={browser.cookies['_xsrf']}",
    }
    answer = await site.client.post("/auth/guest", body=body, headers=headers)
    assert answer.status in (400, 422)


Sender = Callable[[Running, str], Awaitable[Answer]]


async def test_the_page_token_is_required_for_forms_and_with_our_cookie(
    site: Running, person: MakePerson
) -> None:
    anna = await person("Anna")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    json = {"Content-Type": "application/json"}
    cookie, bearer = {"Cookie": f"session={anna.token}"}, {"Authorization": f"Bearer {anna.token}"}

    async def status(headers: dict[str, str]) -> int:
        return (await site.client.post("/auth/logout", body=b"", headers=headers)).status

    assert await status(form | cookie) == 403
    assert await status(json | cookie) == 403
    assert await status(cookie) == 403
    assert await status(form) == 403
    assert (
        await status(json | cookie | {"X-XSRFToken": "x", "Cookie": f"session={anna.token}; _xsrf=y"}) == 403
    )
    assert (await site.client.get("/user/me", token=anna.token)).status == 200
    assert await status(json | bearer) == 204


async def test_too_many_requests_say_when_to_retry(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    strict = await make_site(api_per_minute=3)
    anna, ben = await person("Anna"), await person("Ben")
    statuses = [(await strict.client.get("/user/me", token=anna.token)).status for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    answer = await strict.client.get("/user/me", token=anna.token)
    assert answer.code == "too_many"
    assert 1 <= int(answer.headers["Retry-After"]) == answer.json["error"]["retryAfter"] <= 120
    assert (await strict.client.get("/user/me", token=ben.token)).status == 200


async def test_an_internal_error_is_shown_plainly_and_logged_with_its_cause(
    site: Running, person: MakePerson, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    anna = await person("Anna")

    async def fail(*_args: object) -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr(site.models.history, "page", fail)
    answer = await site.client.get("/history?cursor=private", token=anna.token)
    assert (answer.status, answer.code) == (500, "internal")
    assert "secret" not in answer.text
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info
    assert "private" not in record.getMessage()
    assert not re.search(anna.token, caplog.text)


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("path", ["/auth/guest", "/auth/login", "/admin/sign-in"])
async def test_a_form_without_our_cookie_says_that_cookies_are_off(
    site: Running, path: str, *, htmx: bool
) -> None:
    """Without scripts too. A wrong token with the cookie is another error."""
    browser = site.browser()
    await browser.get("/admin/sign-in" if "admin" in path else "/login")
    token, browser.cookies = browser.xsrf, {}
    answer = await browser.post(path, htmx=htmx, name="Anna", gender="female", adult="true")
    assert answer.status == 403
    assert "Cookies are off" in answer.text
    assert "Allow cookies" in answer.text
    browser.xsrf = "wrong" + token
    wrong = await browser.post(path, htmx=htmx, name="Anna", gender="female", adult="true")
    assert wrong.status == 403
    assert "Cookies are off" not in wrong.text
    browser.close()


async def test_a_form_whose_token_does_not_fit_says_what_to_do(site: Running) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    cookie = {"Cookie": f"_xsrf={browser.cookies['_xsrf']}"}
    for headers in (form, form | cookie):
        answer = await site.client.post("/auth/guest", body=b"_xsrf=other&name=Ann", headers=headers)
        assert (answer.status, answer.code) == (403, "not_allowed")
        assert "Reload" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("/login/", "/login"), ("/Login", "/login"), ("/HEALTHZ//", "/healthz"),
     ("/onboarding/?inviteCode=AB&x=1", "/onboarding?inviteCode=AB&x=1")],
)  # fmt: skip
async def test_an_address_as_phones_and_people_write_it(site: Running, typed: str, meant: str) -> None:
    answer = await site.client.get(typed)
    assert (answer.status, answer.headers["Location"]) == (308, meant)


@pytest.mark.parametrize(
    "path", ["//evil.example/", "//Evil.example", "/%2F%2Fevil.example/", "/no-such", "/\\\\evil/"]
)
async def test_other_addresses_do_not_lead_elsewhere(site: Running, path: str) -> None:
    answer = await site.client.get(path)
    assert answer.status in (404, 308)
    assert not answer.headers.get("Location", "/x").startswith(("//", "/\\", "http"))


async def test_stripes_events_may_end_with_a_slash(site: Running) -> None:
    """Stripe follows no redirect."""
    answers = [await site.client.post(f"/payment/webhook{end}", body=b"{}") for end in ("", "/")]
    assert [answer.code for answer in answers] == ["bad_request", "bad_request"]
