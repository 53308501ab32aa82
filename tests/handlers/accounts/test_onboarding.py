"""Onboarding resumes at the first missing step."""

from __future__ import annotations

import pytest

from tests.conftest import MakePerson, Running

HTML = {"Accept": "text/html"}


async def test_the_first_step_is_the_profile(site: Running) -> None:
    answer = await site.client.get("/onboarding", headers=HTML)
    assert answer.status == 200
    assert 'action="/auth/guest"' in answer.text


async def test_the_second_step_is_the_selfie(site: Running, person: MakePerson) -> None:
    ann = await person("Ann", access=None, selfie=False)
    answer = await site.client.get("/onboarding", token=ann.token, headers=HTML)
    assert 'action="/media/selfie"' in answer.text


@pytest.mark.parametrize(("access", "place"), [(None, "/paywall"), ("comp", "/room"), ("payment", "/room")])
async def test_then_comes_the_paywall_then_the_room(
    site: Running, person: MakePerson, access: str | None, place: str
) -> None:
    ann = await person("Ann", access=access)
    answer = await site.client.get("/onboarding", token=ann.token, headers=HTML)
    assert (answer.status, answer.headers["Location"]) == (303, place)


async def test_a_selfie_can_be_taken_again(site: Running, person: MakePerson) -> None:
    ann = await person("Ann")
    answer = await site.client.get("/onboarding?step=selfie", token=ann.token, headers=HTML)
    assert "A new selfie" in answer.text


async def test_a_code_is_passed_on_for_members_without_access(site: Running, person: MakePerson) -> None:
    code = "0123456789ABCDEF"
    for access, place in ((None, f"/paywall?inviteCode={code}"), ("comp", "/room")):
        ann = await person("Ann", access=access)
        answer = await site.client.get(f"/onboarding?inviteCode={code}", token=ann.token, headers=HTML)
        assert answer.headers["Location"] == place


@pytest.mark.parametrize("code", ["0" * 16, "x", "", "%00", "%3Cscript%3E", "a" * 2000])
async def test_a_malformed_code_does_not_break_the_page(site: Running, code: str) -> None:
    answer = await site.client.get(f"/onboarding?inviteCode={code}", headers=HTML)
    assert answer.status == 200
    assert 'name="inviteCode"' not in answer.text
