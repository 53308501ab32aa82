"""Sign-in: one device at a time with an explanation, exact limits, and nothing revealed."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Sequence

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from models.settings.environment import read_config
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.pace import within
from tests.support.people.account_holders import OTHER_PASSWORD, PASSWORD, holder, is_signed_in, login

ANN, NOBODY = "ann@example.com", "nobody@example.com"


async def test_an_api_client_gets_a_token(site: Running, person: MakePerson) -> None:
    ann = await holder(site, person, access="payment")
    answer = await login(site, " ANN@Example.com ")
    assert answer.status == 200
    assert set(answer.json) == {"sessionToken", "userId", "expiresAt", "access"}
    assert (answer.json["userId"], answer.json["access"]) == (ann.person.user_id, "paid")
    assert "Set-Cookie" not in answer.headers
    assert await is_signed_in(site, answer.json["sessionToken"])


async def test_only_the_other_device_is_notified_and_closed(site: Running, person: MakePerson) -> None:
    ann, bo = await holder(site, person), await person("Bo")
    first, other = await site.invites(ann.person), await site.invites(bo)
    await login(site, ANN)
    told = await first.receive("session:ended")
    assert told["reason"] == "signed_in_elsewhere"
    assert await first.closed() == 4401
    assert not await is_signed_in(site, ann.token)
    assert "session:ended" not in await other.quiet()


async def test_a_process_that_missed_the_event_closes_the_socket(
    site: Running, make_site: MakeSite, person: MakePerson
) -> None:
    ann = await holder(site, person)
    elsewhere = await make_site()
    first = await site.invites(ann.person)
    subscriptions = dict(site.models.bus.subscriber._subscriptions)
    site.models.bus.subscriber._subscriptions.clear()
    await login(elsewhere, ANN)
    site.models.bus.subscriber._subscriptions.update(subscriptions)
    await site.models.sweep.once()
    assert await first.closed() == 4401


async def test_the_replaced_device_gets_an_explanation(site: Running) -> None:
    first, second = site.browser(), site.browser()
    await first.get("/onboarding")
    await first.post("/auth/guest", name="Ann", gender="female", adult="true")
    await first.post("/auth/upgrade", email=ANN, password=PASSWORD)
    await second.get("/login")
    answer = await second.post("/auth/login", email=ANN, password=PASSWORD)
    assert (answer.status, answer.headers["Location"]) == (303, "/onboarding")
    assert second.cookies["session"] not in (await second.get("/settings")).text
    away = await first.get("/settings")
    assert (away.status, away.headers["Location"]) == (303, "/login?next=%2Fsettings")
    page = (await first.get("/login?next=%2Fsettings")).text
    assert "signed in on another device" in page
    assert "Use it here" in page
    await first.post("/auth/login", email=ANN, password=PASSWORD)
    assert "ann@example.com" in (await first.get("/settings")).text
    assert (await second.get("/settings")).status == 303


async def test_the_cookie_changes_and_the_old_one_is_invalid(site: Running, person: MakePerson) -> None:
    await holder(site, person)
    browser = site.browser()
    await browser.get("/onboarding")
    await browser.post("/auth/guest", name="Stray", gender="male", adult="true")
    fixed = browser.cookies["session"]
    assert "leaves this guest behind" in (await browser.get("/login")).text
    await browser.post("/auth/login", email=ANN, password=PASSWORD)
    assert browser.cookies["session"] != fixed
    assert not await is_signed_in(site, fixed)


async def test_a_second_sign_in_here_keeps_the_sockets(site: Running, person: MakePerson) -> None:
    ann = await holder(site, person)
    socket = await site.invites(ann.person)
    answer = await site.client.post("/auth/login", {"email": ANN, "password": PASSWORD}, token=ann.token)
    assert answer.json["sessionToken"] != ann.token
    await site.models.sweep.once()
    assert "session:ended" not in await socket.quiet()


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [("/history", "/history"), ("", "/room"), ("//evil.example", "/room"), ("/\\evil.example", "/room"),
     ("https://evil.example", "/room"), ("/%09/evil", "/%09/evil"), ("/\t/evil.example", "/room")],
)  # fmt: skip
async def test_next_leads_only_to_paths_of_this_site(
    site: Running, person: MakePerson, wanted: str, goes: str
) -> None:
    await holder(site, person)
    browser = site.browser()
    await browser.get("/login")
    answer = await browser.post("/auth/login", email=ANN, password=PASSWORD, next=wanted)
    assert answer.headers["Location"] == goes


async def test_known_and_unknown_addresses_get_the_same_answer(site: Running, person: MakePerson) -> None:
    await holder(site, person)
    known, unknown = await login(site, ANN, OTHER_PASSWORD), await login(site, NOBODY, OTHER_PASSWORD)
    assert (known.status, known.body) == (unknown.status, unknown.body)
    assert (known.status, known.code) == (401, "not_signed_in")
    browser = site.browser()
    await browser.get("/login")
    pages = [
        await browser.post("/auth/login", htmx=True, email=email, password=OTHER_PASSWORD)
        for email in (ANN, NOBODY)
    ]
    assert [page.status for page in pages] == [422, 422]
    ours, theirs = (re.sub(r'"[^"]*@[^"]*"|value="[^"]*"', "", page.text) for page in pages)
    assert ours == theirs
    assert OTHER_PASSWORD not in pages[0].text


async def test_the_sixth_failure_is_refused_with_any_forwarded_header(
    site: Running, person: MakePerson
) -> None:
    await holder(site, person)
    answers = [await login(site, ANN, OTHER_PASSWORD, X_Forwarded_For=f"203.0.113.{n}") for n in range(6)]
    assert [answer.status for answer in answers] == [401] * 5 + [429]
    assert int(answers[5].headers["Retry-After"]) == answers[5].json["error"]["retryAfter"] > 0
    assert (await login(site, ANN)).status == 429


async def test_fifty_concurrent_attempts_do_not_exceed_the_limit(site: Running, person: MakePerson) -> None:
    await holder(site, person)
    answers = await asyncio.gather(*[login(site, ANN, OTHER_PASSWORD) for _ in range(50)])
    assert sorted({answer.status for answer in answers}) == [401, 429]
    assert sum(answer.status == 401 for answer in answers) == 5


async def test_the_owner_can_sign_in_from_another_address_during_an_attack(
    make_site: MakeSite, person: MakePerson, site: Running
) -> None:
    await holder(site, person)
    behind = await make_site(
        trusted_proxies=read_config({"TRUSTED_PROXIES": "127.0.0.1,::1"}).trusted_proxies
    )
    for n in range(24):
        await login(behind, ANN, OTHER_PASSWORD, X_Forwarded_For=f"203.0.113.{n // 6}")
    await behind.models.bus.command("flushall")
    assert (await login(behind, ANN, X_Forwarded_For="203.0.113.0")).status == 429
    assert (await login(behind, ANN, X_Forwarded_For="198.51.100.1")).status == 200


async def test_a_faulty_form_does_not_count_as_a_failure(site: Running, person: MakePerson) -> None:
    await holder(site, person)
    for _ in range(8):
        answer = await site.client.post("/auth/login", {"email": "ann", "password": ""})
        assert (answer.status, answer.code) == (422, "invalid")
    assert (await login(site, ANN)).status == 200


async def test_the_sign_in_page_redirects_signed_in_members(site: Running, person: MakePerson) -> None:
    ann = await holder(site, person)
    page = await site.client.get("/login", token=ann.token, headers={"Accept": "text/html"})
    assert page.headers["Location"] == "/room"
    assert 'href="/login"' in (await site.browser().get("/")).text


@pytest.mark.parametrize("together", [10, pytest.param(50, marks=pytest.mark.prove)])
async def test_the_event_loop_is_free_at_the_real_cost(make_site: MakeSite, together: int) -> None:
    """One thread hashes: 33 concurrent sign-ins are answered, more get Retry-After."""
    site = await make_site(
        bcrypt_cost=12, trusted_proxies=read_config({"TRUSTED_PROXIES": "127.0.0.1,::1"}).trusted_proxies
    )
    http = AsyncHTTPClient(force_instance=True, max_clients=50)
    tries = [asyncio.ensure_future(patient(http, site, f"203.0.113.{n}")) for n in range(together)]
    answers, waits = await asyncio.gather(all_of(tries), health_until(site, tries))
    assert sorted(waits)[int(len(waits) * 0.99)] < within(0.25), (
        f"{len(waits)} looks, the longest {max(waits):.3f} s"
    )
    assert len(waits) > 20
    heard = min(together, 33)
    assert Counter(answer.code for answer in answers) == Counter({401: heard, 503: together - heard})
    assert all(answer.headers["Retry-After"] == "5" for answer in answers if answer.code == 503)
    http.close()


async def patient(http: AsyncHTTPClient, site: Running, address: str) -> HTTPResponse:
    """A sign-in that waits for its turn even on a slow machine."""
    return await http.fetch(
        site.base_url + "/auth/login",
        method="POST",
        headers={"Content-Type": "application/json", "X-Forwarded-For": address},
        body=json.dumps({"email": NOBODY, "password": PASSWORD}),
        request_timeout=120,
        raise_error=False,
    )


async def all_of(tries: Sequence[asyncio.Future[HTTPResponse]]) -> list[HTTPResponse]:
    return list(await asyncio.gather(*tries))


async def health_until(site: Running, tries: Sequence[asyncio.Future[HTTPResponse]]) -> list[float]:
    """The times of sequential requests to /healthz until all sign-ins are answered."""
    waits = []
    while not all(one.done() for one in tries):
        began = time.monotonic()
        assert (await site.client.get("/healthz")).status == 200
        waits.append(time.monotonic() - began)
    return waits
