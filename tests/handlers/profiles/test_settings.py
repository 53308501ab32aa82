"""The settings page."""

from __future__ import annotations

from tests.conftest import MakePerson, Person, Running
from tests.support.clients import Answer
from tests.support.factories import ended_call


async def test_the_page_shows_the_data_of_the_member(site: Running, person: MakePerson) -> None:
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


async def test_a_visitor_is_redirected_to_the_start(site: Running) -> None:
    answer = await site.client.get("/settings", headers={"Accept": "text/html"})
    assert (answer.status, answer.headers["Location"]) == (303, "/onboarding")
    assert (await site.client.get("/settings")).code == "not_signed_in"


async def test_it_counts_only_the_calls_of_the_member(site: Running, person: MakePerson) -> None:
    ann, ben, cleo = await person("Ann"), await person("Ben"), await person("Cleo")
    assert "None yet" in (await page_of(site, ann)).text
    for one, other, ms in ((ann, ben, 90_000), (ben, ann, 31_000), (ann, cleo, 0), (ben, cleo, 600_000)):
        await ended_call(site.models, one, other, ms=ms)
    me = (await site.client.get("/user/me", token=ann.token)).json
    assert (me["totalCalls"], me["connectedSeconds"]) == (2, 121)
    text = (await page_of(site, ann)).text
    assert "2 min 1 s" in text
    assert ">1 min<" in text


async def page_of(site: Running, person: Person) -> Answer:
    return await site.client.get("/settings", token=person.token, headers={"Accept": "text/html"})
