"""The site's other name: redirected to BASE_URL with its path, and to no other address."""

from __future__ import annotations

import pytest

from tests.conftest import MakeSite


@pytest.mark.parametrize(
    ("base", "other"),
    [
        ("https://meet.example.org", "www.meet.example.org"),
        ("https://www.example.org:8443", "example.org"),
    ],
)
async def test_the_other_name_is_redirected(make_site: MakeSite, base: str, other: str) -> None:
    site = await make_site(base_url=base)
    for host in (other, f"{other}:8443"):
        answer = await site.client.get("/onboarding?inviteCode=A", headers={"Host": host})
        assert (answer.status, answer.headers["Location"]) == (308, f"{base}/onboarding?inviteCode=A")
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("host", ["meet.example.org", "evil.example", "xwww.meet.example.org"])
async def test_any_other_host_is_served(make_site: MakeSite, host: str) -> None:
    site = await make_site(base_url="https://meet.example.org")
    assert (await site.client.get("/", headers={"Host": host})).status == 200


async def test_a_path_cannot_lead_to_another_site(make_site: MakeSite) -> None:
    site = await make_site(base_url="https://meet.example.org")
    answer = await site.client.get("//evil.example/", headers={"Host": "www.meet.example.org"})
    assert answer.headers["Location"] == "https://meet.example.org//evil.example/"


async def test_writes_are_not_redirected(make_site: MakeSite) -> None:
    site = await make_site(base_url="https://meet.example.org")
    answer = await site.client.send("POST", "/auth/guest", json={}, headers={"Host": "www.meet.example.org"})
    assert answer.status == 405
