"""Sign-up and sign-out: API clients, browsers without scripts, and refused requests."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest

from models.settings.config import Config
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.clients import Answer

ANN = {"name": "Ann", "gender": "female", "adult": True}
FORM = {"name": "Ann", "gender": "female", "adult": "true"}


async def people(site: Running) -> int:
    async with site.models.db.link() as link:
        await link.execute("select count(*) from users")
        return int((link.cursor.fetchone())[0])


async def test_an_api_client_gets_a_token_and_no_cookie(site: Running) -> None:
    answer = await site.client.post("/auth/guest", ANN)
    assert answer.status == 201
    assert set(answer.json) == {"sessionToken", "userId", "expiresAt", "access"}
    assert uuid.UUID(answer.json["sessionToken"]).version == 4
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", answer.json["expiresAt"])
    assert answer.json["access"] == "unpaid"
    assert "Set-Cookie" not in answer.headers
    me = await site.client.get("/user/me", token=answer.json["sessionToken"])
    assert me.json["userId"] == answer.json["userId"]


async def test_a_browser_gets_a_cookie_and_no_token(site: Running) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    answer = await browser.post("/auth/guest", **FORM)
    assert (answer.status, answer.headers["Location"]) == (303, "/onboarding")
    line = next(line for line in answer.headers.get_list("Set-Cookie") if line.startswith("session="))
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    assert browser.cookies["session"] not in answer.text
    assert "Nice to meet you, Ann" in (await browser.get("/onboarding")).text


async def test_behind_tls_the_cookie_is_bound_to_the_host(make_site: MakeSite) -> None:
    site = await make_site(base_url="https://napalmsky.example")
    answer = await site.client.post(
        "/auth/guest", ANN, headers={"Accept": "text/html", "Origin": "https://napalmsky.example"}
    )
    line = next(line for line in answer.headers.get_list("Set-Cookie") if "__Host-session=" in line)
    assert "Secure" in line
    assert "Path=/" in line
    assert "Domain" not in line


async def test_htmx_gets_a_redirect(site: Running) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    answer = await browser.post("/auth/guest", htmx=True, **FORM)
    assert (answer.status, answer.headers["HX-Redirect"]) == (200, "/onboarding")


async def test_faults_are_named_and_no_user_is_created(site: Running) -> None:
    answer = await site.client.post("/auth/guest", {"name": "\u202eAnn", "gender": "robot", "adult": False})
    assert (answer.status, answer.code) == (422, "invalid")
    assert set(answer.json["error"]["fields"]) == {"name", "gender", "adult"}
    assert await people(site) == 0


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"name": 5}, "name"),
        ({"adult": "yes"}, "adult"),
        ({"adult": None}, "adult"),
        ({"inviteCode": []}, "inviteCode"),
        ({"gender": ["female"]}, "gender"),
    ],
)
async def test_the_wrong_kind_of_value_names_its_field(
    site: Running, sent: dict[str, object], field: str
) -> None:
    answer = await site.client.post("/auth/guest", ANN | sent)
    assert answer.status == 422
    assert set(answer.json["error"]["fields"]) == {field}


async def test_fields_that_a_client_may_not_set_are_ignored(site: Running) -> None:
    answer = await site.client.post("/auth/guest", ANN | {"access": "paid", "role": "admin"})
    assert answer.json["access"] == "unpaid"


async def test_a_bad_code_creates_no_user(site: Running) -> None:
    answer = await site.client.post("/auth/guest", ANN | {"inviteCode": "0" * 16})
    assert (answer.status, set(answer.json["error"]["fields"])) == (422, {"inviteCode"})
    assert await people(site) == 0


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"\xff", b'{"name":' + b"[" * 50_000])
async def test_a_body_that_cannot_be_read_is_a_bad_request(site: Running, body: bytes) -> None:
    answer = await site.client.send(
        "POST", "/auth/guest", body=body, headers={"Content-Type": "application/json"}
    )
    assert (answer.status, answer.code) == (400, "bad_request")


async def test_the_form_comes_back_with_what_was_sent(site: Running) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    page = await browser.post("/auth/guest", name='"><script>Ann', gender="robot", adult="true")
    assert page.status == 422
    assert "<html" in page.text
    assert 'value="&#34;&gt;&lt;script&gt;Ann"' in page.text
    fragment = await browser.post("/auth/guest", htmx=True, name="", gender="female")
    assert fragment.status == 422
    assert "<html" not in fragment.text
    assert fragment.text.lstrip().startswith('<section id="onboarding-form"')
    assert 'id="name-error"' in fragment.text
    assert 'id="adult-error"' in fragment.text


async def test_a_form_without_its_token_is_refused(site: Running) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    browser.xsrf = "forged"
    answer = await browser.post("/auth/guest", **FORM)
    assert answer.status == 403
    assert await people(site) == 0


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1", "http://localhost"])
async def test_another_site_is_refused(site: Running, origin: str) -> None:
    answer = await site.client.post("/auth/guest", ANN, headers={"Origin": origin})
    assert (answer.status, answer.code) == (403, "not_allowed")
    assert await people(site) == 0


async def test_a_second_submit_creates_no_second_user(site: Running) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    await browser.post("/auth/guest", **FORM)
    again = await browser.post("/auth/guest", **FORM)
    assert (again.status, again.headers["Location"]) == (303, "/onboarding")
    assert await people(site) == 1


async def test_a_forwarded_header_of_an_untrusted_client_is_ignored(make_site: MakeSite) -> None:
    site = await make_site(guests_per_hour=2)
    headers = [{"X-Forwarded-For": f"203.0.113.{n}"} for n in range(3)]
    statuses = [(await site.client.post("/auth/guest", ANN, headers=header)).status for header in headers]
    assert statuses == [201, 201, 429]


async def test_too_many_sign_ups_get_retry_after(make_site: MakeSite) -> None:
    site = await make_site(guests_per_hour=1)
    await site.client.post("/auth/guest", ANN)
    answer = await site.client.post("/auth/guest", ANN)
    assert (answer.status, answer.code) == (429, "too_many")
    assert int(answer.headers["Retry-After"]) == answer.json["error"]["retryAfter"] > 0


async def test_signing_out_ends_the_session(site: Running, person: MakePerson) -> None:
    ann, bo = await person("Ann"), await person("Bo")
    assert (await site.client.post("/auth/logout", token=ann.token)).status == 204
    assert (await site.client.get("/user/me", token=ann.token)).status == 401
    assert (await site.client.get("/user/me", token=bo.token)).status == 200
    assert (await site.client.post("/auth/logout", token=ann.token)).status == 401


async def test_signing_out_clears_the_cookie_and_may_be_repeated(site: Running) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    await browser.post("/auth/guest", **FORM)
    kept = browser.cookies["session"]
    out = await browser.post("/auth/logout")
    assert (out.status, out.headers["Location"]) == (303, "/")
    assert browser.cookies["session"] == ""
    browser.cookies["session"] = kept
    assert (await browser.get("/settings")).headers["Location"] == "/login?next=%2Fsettings"
    assert (await browser.post("/auth/logout")).status == 303


async def test_the_cookie_is_renewed_with_the_session_once_a_day(site: Running) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    await browser.post("/auth/guest", **FORM)
    kept = browser.cookies["session"]
    assert not session_cookies(await browser.get("/settings"))
    site.models.clock.freeze(site.models.clock.now() + timedelta(days=1, seconds=1))
    assert session_cookies(await browser.get("/settings"))
    assert browser.cookies["session"] == kept
    assert not session_cookies(await browser.get("/settings"))


def session_cookies(answer: Answer) -> list[str]:
    return [line for line in answer.headers.get_list("Set-Cookie") if line.startswith("session=")]


@pytest.mark.parametrize("path", ["/auth/guest", "/auth/logout"])
async def test_other_methods_are_refused_and_the_right_one_named(site: Running, path: str) -> None:
    answer = await site.client.get(path)
    assert (answer.status, answer.code) == (405, "method")
    assert answer.headers["Allow"] == "POST, OPTIONS"


@pytest.fixture
def config() -> Config:
    return Config(stun_urls=(), guests_per_hour=1000)
