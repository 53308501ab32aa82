"""The age gate: by the visitor's statement, or by a birth date that is not stored."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import pytest

from tests.conftest import MakeSite, Running
from tests.support.clients import Answer
from tests.support.scenes import rows

GUEST = {"name": "Ann", "gender": "female", "adult": True}
FORM = {"name": "Ann", "gender": "female", "adult": "true"}
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
TODAY = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def asking(io_loop: Any, make_site: MakeSite) -> Running:
    site: Running = io_loop.run_sync(lambda: make_site(minimum_age_check="dob", trusted_proxies=LOOPBACK))
    site.models.clock.freeze(TODAY)
    return site


async def sign_up(
    site: Running, birth_date: str | None, address: str = "192.0.2.1", browser: str = "one"
) -> Answer:
    sent = GUEST | ({} if birth_date is None else {"birthDate": birth_date})
    return await site.client.post(
        "/auth/guest", sent, headers={"X-Forwarded-For": address, "User-Agent": browser}
    )


async def test_without_the_check_a_birth_date_is_ignored(site: Running) -> None:
    assert (await sign_up(site, None)).status == 201
    assert (await sign_up(site, "2020-01-01")).status == 201


@pytest.mark.parametrize(
    ("birth_date", "status"),
    [
        ("2008-11-24", 201),
        ("2008-11-25", 403),
        ("1900-01-01", 201),
        ("2026-11-24", 403),
        ("2026-11-25", 422),
        (None, 422),
        ("", 422),
        ("24.11.1990", 422),
        ("19901124", 422),
        ("1990-02-30", 422),
        ("1899-12-31", 422),
    ],
)
async def test_users_are_adults_from_their_eighteenth_birthday(
    asking: Running, birth_date: str | None, status: int
) -> None:
    answer = await sign_up(asking, birth_date)
    assert answer.status == status
    if status == 422:
        assert set(answer.json["error"]["fields"]) == {"birthDate"}
    if status == 403:
        assert answer.code == "not_allowed"


async def test_another_browser_does_not_help_and_another_address_does(asking: Running) -> None:
    assert (await sign_up(asking, "2015-01-01")).status == 403
    assert (await sign_up(asking, "1990-01-01")).status == 403
    assert (await sign_up(asking, "1990-01-01", browser="another browser")).status == 403
    assert (await sign_up(asking, "1990-01-01", "198.51.100.7")).status == 201
    asking.models.clock.advance(seconds=24 * 3600 + 1)
    assert (await sign_up(asking, "1990-01-01")).status == 201


async def test_the_period_is_a_setting_and_0_leaves_it_to_the_browser(make_site: MakeSite) -> None:
    site = await make_site(minimum_age_check="dob", trusted_proxies=LOOPBACK, age_refusal_hours=0)
    site.models.clock.freeze(TODAY)
    assert (await sign_up(site, "2015-01-01")).status == 403
    assert (await sign_up(site, "1990-01-01", browser="another browser")).status == 201


async def test_no_date_and_no_address_are_stored(asking: Running) -> None:
    await sign_up(asking, "2015-01-01")
    await sign_up(asking, "1990-05-31", "198.51.100.7")
    for table in ("age_refusals", "users"):
        (kept,) = (await rows(asking.models, f"select json_agg({table})::text from {table}"))[0]
        assert "1990" not in kept
        assert "2015" not in kept
        assert "192.0.2" not in kept


async def test_every_fault_is_reported_at_once(asking: Running) -> None:
    answer = await asking.client.post("/auth/guest", {"name": "", "gender": "female", "adult": True})
    assert set(answer.json["error"]["fields"]) == {"name", "birthDate"}


@pytest.mark.parametrize("htmx", [False, True])
async def test_a_browser_gets_an_explanation_and_keeps_the_refusal(asking: Running, htmx: bool) -> None:
    browser = asking.browser()
    assert "Date of birth" in (await browser.get("/onboarding")).text
    wrong = await browser.post("/auth/guest", htmx=htmx, **FORM)
    assert (wrong.status, "Give your date of birth" in wrong.text) == (422, True)
    young = await browser.post("/auth/guest", htmx=htmx, **FORM, birthDate="2015-01-01")
    assert young.headers["HX-Redirect" if htmx else "Location"] == "/too-young"
    assert "Come back when you are 18" in (await browser.get("/too-young")).text
    await rows(asking.models, "delete from age_refusals")
    again = await browser.post("/auth/guest", htmx=htmx, **FORM, birthDate="1990-01-01")
    assert again.headers["HX-Redirect" if htmx else "Location"] == "/too-young"
    # Without the mark of the address, which would refuse this browser too.
    other = asking.browser()
    await other.get("/onboarding")
    grown = await other.post("/auth/guest", htmx=htmx, **FORM, birthDate="1990-01-01")
    assert grown.headers["HX-Redirect" if htmx else "Location"] == "/onboarding"
