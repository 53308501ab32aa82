"""The start page, the live count and the legal texts."""

from __future__ import annotations

import pytest

from tests.conftest import MakePerson, MakeSite, Running

HTML = {"Accept": "text/html"}


@pytest.mark.parametrize("path", ["/", "/terms", "/privacy"])
async def test_the_public_pages_have_a_strict_policy(site: Running, path: str) -> None:
    answer = await site.client.get(path, headers=HTML)
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "HX-Request" in ",".join(answer.headers.get_list("Vary"))
    assert "http://" not in answer.text.replace("http://www.w3.org", "")


async def test_a_member_is_greeted_and_the_page_is_not_cached(site: Running, person: MakePerson) -> None:
    ann = await person("Ann")
    answer = await site.client.get("/", token=ann.token, headers=HTML)
    assert "Ann" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


async def test_the_live_count_is_of_users_with_access_and_a_socket(site: Running, person: MakePerson) -> None:
    assert (await site.client.get("/stats/live")).json == {"onlineUsers": 0}
    await site.invites(await person("Ann"))
    assert (await site.client.get("/stats/live")).json == {"onlineUsers": 1}


async def test_the_doctors_callers_do_not_count(site: Running) -> None:
    one, _ = await site.models.robots.probes()
    socket = await site.socket("/ws/invites", one.token)
    await socket.receive("state")
    assert (await site.client.get("/stats/live")).json == {"onlineUsers": 0}


async def test_head_is_get_without_a_body(site: Running) -> None:
    answer = await site.client.send("HEAD", "/terms", headers=HTML)
    assert (answer.status, answer.body) == (200, b"")


async def test_a_missing_url_is_a_page_or_json(site: Running) -> None:
    page = await site.client.get("/nowhere", headers=HTML)
    assert page.status == 404
    assert 'id="error"' in page.text
    assert (await site.client.get("/nowhere")).code == "not_found"


async def test_the_imprint_names_the_operator(make_site: MakeSite) -> None:
    site = await make_site(operator_name="Ada & Co", operator_contact="ada@sky.example")
    page = (await site.browser().get("/imprint")).text
    assert "Ada &amp; Co" in page
    assert 'href="mailto:ada@sky.example"' in page
    assert 'href="/imprint"' in (await site.browser().get("/terms")).text
    assert "names no operator" in (await (await make_site()).browser().get("/imprint")).text
