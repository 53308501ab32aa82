"""The age check by a provider: what it is sent, what its answer changes, and what happens when it fails."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from tornado.ioloop import IOLoop

from tests.conftest import MakePerson, MakeSite, Person, Running
from tests.support.accounts.fake_age_provider import CLIENT, AgeProviderStandIn
from tests.support.clients import Answer, Browser
from tests.support.factories import older
from tests.support.people.reports import browser_of
from tests.support.scenes import rows


@pytest.fixture
def provider(io_loop: IOLoop) -> Iterator[AgeProviderStandIn]:
    yield from AgeProviderStandIn.running(io_loop)


@pytest.fixture
def site(io_loop: IOLoop, make_site: MakeSite, provider: AgeProviderStandIn) -> Running:
    return io_loop.run_sync(lambda: make_site(**provider.settings))


async def way_back(browser: Browser, press: str = "Agree") -> str:
    """To the provider and the address on our site that it sends the browser to."""
    start = await browser.get("/age/start")
    assert start.status == 303
    async with httpx.AsyncClient() as http:
        page = await http.get(start.headers["Location"])
    assert page.status_code == 200
    found = re.search(rf'href="([^"]+)">{press}<', page.text)
    assert found
    url = urlsplit(unescape(found[1]))
    return f"{url.path}?{url.query}"


async def proofs(site: Running) -> list[tuple[Any, ...]]:
    return await rows(site.models, "select user_id::text, provider from age_proofs")


async def test_an_adult_goes_there_and_back(
    site: Running, person: MakePerson, provider: AgeProviderStandIn
) -> None:
    anna = await person("Anna", access=None, selfie=False)
    browser = await browser_of(site, anna)
    assert (await browser.get("/onboarding")).headers["Location"] == "/age"
    page = await browser.get("/age")
    assert "127.0.0.1" in page.text
    back = await browser.get(await way_back(browser))
    assert (back.status, back.headers["Location"]) == (303, "/onboarding")
    assert "Nice to meet you" in (await browser.get("/onboarding")).text
    assert await proofs(site) == [(anna.user_id, provider.api_base)]
    kept = await rows(site.models, "select row_to_json(p)::text from age_proofs p")
    assert set(json.loads(kept[0][0])) == {"user_id", "provider", "proven_at"}
    assert await rows(site.models, "select 1 from age_checks") == []
    assert (await browser.get("/age")).headers["Location"] == "/onboarding"


async def test_what_the_provider_is_sent(
    site: Running, person: MakePerson, provider: AgeProviderStandIn
) -> None:
    browser = await browser_of(site, await person("Anna", access=None))
    for _ in range(2):
        await way_back(browser)
    first, second = provider.asked
    assert first["theme"] == "dark"
    assert first["client_id"] == CLIENT
    assert first["redirect_uri"] == f"{site.config.base_url}/age/return"
    assert first["scope"] == "openid"
    assert json.loads(first["claims"]) == {"id_token": {"age_over_18": {"essential": True}}}
    assert first["code_challenge_method"] == "S256"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != second[name]
    assert "Anna" not in json.dumps(first)


@pytest.mark.parametrize("path", ["/room/queue", "/introductions?userId=x"])
async def test_nothing_goes_on_without_a_proof(site: Running, person: MakePerson, path: str) -> None:
    anna = await person("Anna")
    answer = await site.client.get(path, token=anna.token)
    assert (answer.status, answer.code) == (403, "not_allowed")
    assert answer.json["error"]["fields"] == {"ageUrl": "/age"}
    socket = await site.invites(anna, join=False)
    socket.send("queue:join", id="join")
    assert (await socket.receive(id="join"))["fields"] == {"ageUrl": "/age"}
    assert (await site.client.get("/history", token=anna.token)).status == 200
    assert (await site.client.post("/payment/create-checkout", token=anna.token)).status == 403


async def test_a_program_brings_the_answer_itself(
    site: Running, person: MakePerson, provider: AgeProviderStandIn
) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    state = await begun(site, provider, anna)
    code = provider.code_for(provider.asked[-1])
    path = f"/age/return?code={code}&state={state}"
    assert (await site.client.get(path, token=ben.token)).status == 404, "another user's check"
    assert (await site.client.get("/age/return?code=x&state=guessed", token=anna.token)).status == 404
    done = await site.client.get(path, token=anna.token)
    assert (done.status, done.json) == (200, {"isProven": True})
    assert (await site.client.get(path, token=anna.token)).status == 404, "a second time"
    assert (await site.client.get("/room/queue", token=anna.token)).status == 200
    assert (await site.client.get("/room/queue", token=ben.token)).status == 403


async def begun(site: Running, provider: AgeProviderStandIn, one: Person) -> str:
    """The state of a check that this user has begun, with the provider's page open."""
    url = (await site.client.get("/age/start", token=one.token)).json["authorizeUrl"]
    async with httpx.AsyncClient() as http:
        await http.get(url)
    return parse_qs(urlsplit(url).query)["state"][0]


async def finished(site: Running, provider: AgeProviderStandIn, one: Person) -> Answer:
    state = await begun(site, provider, one)
    code = provider.code_for(provider.asked[-1])
    return await site.client.get(f"/age/return?code={code}&state={state}", token=one.token)


@pytest.mark.parametrize("press", ["Agree", "Deny"])
async def test_a_refusal_at_the_provider_keeps_the_way_back(
    site: Running, person: MakePerson, provider: AgeProviderStandIn, press: str
) -> None:
    browser = await browser_of(site, await person("Anna", access=None))
    path = await way_back(browser, press)
    if press == "Agree":
        provider.faults.append("400")
    told = await browser.get(path)
    assert told.status == 403
    assert ("you did not agree" if press == "Deny" else "did not accept its own answer") in told.text
    assert 'href="/age">Back to the age check' in told.text
    assert await proofs(site) == []
    assert (await browser.get(await way_back(browser))).status == 303
    assert len(await proofs(site)) == 1


@pytest.mark.parametrize(
    ("odd", "cause"),
    [
        ({"nonce": "another"}, "another check"),
        ({"aud": "another client"}, "not signed as it should be"),
        ({"iss": "https://evil.example"}, "not signed as it should be"),
        ({"exp": 1_000_000_000}, "not signed as it should be"),
        ({"exp": None}, "not signed as it should be"),
        ({"age_over_18": None}, "did not say whether you are 18"),
        ({"age_over_18": "true"}, "did not say whether you are 18"),
    ],
)
async def test_an_answer_that_proves_nothing(
    site: Running, person: MakePerson, provider: AgeProviderStandIn, odd: dict[str, Any], cause: str
) -> None:
    provider.odd = odd
    answer = await finished(site, provider, await person("Anna"))
    assert (answer.status, answer.code) == (403, "not_allowed")
    assert cause in answer.json["error"]["message"]
    assert await proofs(site) == []


async def test_an_answer_signed_by_another_key(
    site: Running, person: MakePerson, provider: AgeProviderStandIn
) -> None:
    provider.signing_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    answer = await finished(site, provider, await person("Anna"))
    assert (answer.status, "not signed" in answer.json["error"]["message"]) == (403, True)
    assert await proofs(site) == []


async def test_a_provider_that_is_down_is_named_and_nothing_is_lost(
    site: Running, person: MakePerson, provider: AgeProviderStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await browser_of(site, await person("Anna", access=None))
    await way_back(browser)
    provider.is_down = True
    told = await browser.get("/age/start")
    assert told.status == 503
    assert "The age check at 127.0.0.1 does not answer" in told.text
    assert 'href="/age">Back to the age check' in told.text
    assert any("AGE_PROVIDER_URL" in line for line in caplog.messages)
    provider.is_down = False
    path = await way_back(browser)
    provider.faults.append("500")
    assert (await browser.get(path)).status == 503
    assert (await browser.get(await way_back(browser))).status == 303
    assert len(await proofs(site)) == 1


async def test_a_check_ends_after_an_hour(
    site: Running, person: MakePerson, provider: AgeProviderStandIn
) -> None:
    anna = await person("Anna")
    state = await begun(site, provider, anna)
    await older(site.models, "age_checks.begun_at", minutes=61)
    code = provider.code_for(provider.asked[-1])
    late = await site.client.get(f"/age/return?code={code}&state={state}", token=anna.token)
    assert late.status == 404
    await site.models.retention.sweep()
    assert await rows(site.models, "select 1 from age_checks") == []


async def test_a_guest_who_is_too_young_is_deleted_and_remembered_by_the_browser(
    site: Running, person: MakePerson, provider: AgeProviderStandIn
) -> None:
    provider.says = False
    browser = await browser_of(site, await person("Anna", access=None))
    back = await browser.get(await way_back(browser))
    assert back.headers["Location"] == "/too-young"
    assert await proofs(site) == []
    assert await rows(site.models, "select 1 from users where deleted_at is null") == []
    await browser.get("/onboarding")
    again = await browser.post("/auth/guest", name="Anna", gender="female", adult="true")
    assert again.headers["Location"] == "/too-young"
    paying = await person("Ben")
    answer = await finished(site, provider, paying)
    assert (answer.status, "under 18" in answer.json["error"]["message"]) == (403, True)
    assert (await site.client.get("/receipt", token=paying.token)).status == 200


async def test_there_is_no_such_page_without_a_provider(make_site: MakeSite, site: Running, person) -> None:
    plain = await make_site()
    anna = await person("Anna")
    for path in ("/age", "/age/start", "/age/return"):
        assert (await plain.client.get(path, token=anna.token)).status == 404
        assert (await site.client.get(path)).status == 401
