"""The settings page."""

from __future__ import annotations

from tests.conftest import MakePerson, Running


async def test_the_page_shows_what_is_mine(site: Running, person: MakePerson) -> None:
    ann = await person("Ann <3", access="payment")
    answer = await site.client.get("/settings", token=ann.token, headers={"Accept": "text/html"})
    assert answer.status == 200
    assert "Ann &lt;3" in answer.text
    assert ann.token not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


async def test_without_access_it_points_to_the_paywall(site: Running, person: MakePerson) -> None:
    ann = await person("Ann", access=None, selfie=False)
    answer = await site.client.get("/settings", token=ann.token, headers={"Accept": "text/html"})
    assert 'href="/paywall"' in answer.text


async def test_a_visitor_is_led_to_the_start(site: Running) -> None:
    answer = await site.client.get("/settings", headers={"Accept": "text/html"})
    assert (answer.status, answer.headers["Location"]) == (303, "/onboarding")
    assert (await site.client.get("/settings")).code == "not_signed_in"
