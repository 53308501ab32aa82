"""GET /turn/credentials: for the two users of a live call, and a limited check for visitors."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from models.settings.environment import read_config
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.fake_twilio import TwilioStandIn
from tests.support.scenes import advance, freeze, in_call

URLS = ("turn:turn.test:3478", "turn:turn.test:3478?transport=tcp")
COTURN = {"turn_urls": URLS, "turn_secret": "a secret of sixteen"}
LIFE = 300 + 60 + 60


@pytest.fixture
def site(io_loop: IOLoop, make_site: MakeSite) -> Running:
    return io_loop.run_sync(lambda: make_site(**COTURN))


def path(call_id: str) -> str:
    return f"/turn/credentials?callId={call_id}"


async def test_both_users_get_their_own_credentials(site: Running, person: MakePerson) -> None:
    freeze(site)
    scene = await in_call(site, person, connected=False)
    one, other = [
        await site.client.get(path(scene.call_id), token=who.token)
        for who in (scene.people.anna, scene.people.ben)
    ]
    for answer in (one, other):
        assert answer.status == 200
        assert answer.json.keys() == {"iceServers", "ttl"}
        (server,) = answer.json["iceServers"]
        assert server.keys() == {"urls", "username", "credential"}
        assert (tuple(server["urls"]), answer.json["ttl"]) == (URLS, LIFE)
        assert answer.headers["Cache-Control"] == "no-store"
    assert one.json["iceServers"] != other.json["iceServers"]


async def test_credentials_end_with_the_call(site: Running, person: MakePerson) -> None:
    freeze(site)
    scene = await in_call(site, person)
    advance(100, site)
    answer = await site.client.get(path(scene.call_id), token=scene.people.anna.token)
    assert answer.json["ttl"] == LIFE - 100


async def test_other_users_get_no_credentials(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    stranger = await person("Carla")
    random_id = "5d0c8a7e-3a0b-4b1e-9a44-9f1d6f0c2b33"
    for asked in (path(scene.call_id), path(random_id), path("x"), "/turn/credentials"):
        assert (await site.client.get(asked, token=stranger.token)).status == 404
    assert (await site.client.get(path(scene.call_id))).status == 401


async def test_there_are_no_credentials_after_the_call(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    await scene.end()
    answer = await site.client.get(path(scene.call_id), token=scene.people.anna.token)
    assert (answer.status, answer.code) == (403, "not_allowed")


async def test_requests_per_hour_and_user_are_limited(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    scene = await in_call(site, person)
    strict = await make_site(**COTURN, turn_per_hour=2)
    anna, ben = scene.people.anna.token, scene.people.ben.token
    statuses = [(await strict.client.get(path(scene.call_id), token=anna)).status for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert (await strict.client.get(path(scene.call_id), token=ben)).status == 200


async def test_a_rejected_request_is_not_counted(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    scene = await in_call(site, person)
    strict = await make_site(**COTURN, turn_per_hour=1)
    anna = scene.people.anna.token
    assert (await strict.client.get(path("x"), token=anna)).status == 404
    assert (await strict.client.get(path(scene.call_id), token=anna)).status == 200


# -- the check --

CHECK = "/turn/credentials?purpose=check"


async def test_a_visitor_may_check_their_connection(site: Running) -> None:
    answer = await site.client.get(CHECK)
    assert (answer.status, answer.json["ttl"]) == (200, 60)
    (server,) = answer.json["iceServers"]
    assert server["username"].split(":")[1].startswith("check-")


async def test_a_check_gives_no_credentials_of_a_call(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    answer = await site.client.get(f"{path(scene.call_id)}&purpose=check", token=scene.people.anna.token)
    assert answer.json["ttl"] == 60
    odd = await site.client.get(f"{path('x')}&purpose=other", token=scene.people.anna.token)
    assert odd.status == 404


async def test_three_checks_per_hour_and_address(
    make_site: MakeSite, person: MakePerson, site: Running
) -> None:
    behind_proxy = await make_site(
        **COTURN, trusted_proxies=read_config({"TRUSTED_PROXIES": "127.0.0.1, ::1"}).trusted_proxies
    )
    anna = await person("Anna")

    async def check(address: str, token: str | None = None) -> int:
        headers = {"X-Forwarded-For": address}
        return (await behind_proxy.client.get(CHECK, headers=headers, token=token)).status

    assert [await check("198.51.100.7") for _ in range(4)] == [200, 200, 200, 429]
    assert await check("198.51.100.7", anna.token) == 429
    assert await check("198.51.100.8") == 200
    assert [await check(f"2001:db8::{n}") for n in range(4)] == [200, 200, 200, 429]


# -- in the page --


async def servers_in_page(running: Running, call_id: str, token: str) -> Any:
    page = await running.client.get(f"/calls/{call_id}", token=token, headers={"Accept": "text/html"})
    assert page.status == 200
    found = re.search(r'data-ice-servers="([^"]*)"', page.text)
    return None if found is None else json.loads(html.unescape(found[1]))


async def test_the_page_of_a_live_call_has_what_a_request_would_answer(
    site: Running, person: MakePerson
) -> None:
    freeze(site)
    scene = await in_call(site, person)
    anna, ben = scene.people.anna.token, scene.people.ben.token
    given = await servers_in_page(site, scene.call_id, anna)
    assert given == (await site.client.get(path(scene.call_id), token=anna)).json
    assert given != await servers_in_page(site, scene.call_id, ben)
    await scene.end()
    assert await servers_in_page(site, scene.call_id, anna) is None


async def test_a_page_counts_like_a_request_and_is_shown_over_the_limit(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    scene = await in_call(site, person)
    strict = await make_site(**COTURN, turn_per_hour=1)
    anna = scene.people.anna.token
    assert await servers_in_page(strict, scene.call_id, anna) is not None
    assert await servers_in_page(strict, scene.call_id, anna) is None
    assert (await strict.client.get(path(scene.call_id), token=anna)).status == 429


async def test_a_page_does_not_wait_for_twilio(
    make_site: MakeSite, site: Running, person: MakePerson, twilio: TwilioStandIn
) -> None:
    scene = await in_call(site, person)
    with_twilio = await make_site(**COTURN, **twilio.settings)
    assert await servers_in_page(with_twilio, scene.call_id, scene.people.anna.token) is None
    assert twilio.asked == []


# -- Twilio --


@pytest.mark.parametrize("fault", ["401", "429", "500", "garbage", "reset"])
async def test_the_call_page_works_when_twilio_fails(
    make_site: MakeSite, site: Running, person: MakePerson, twilio: TwilioStandIn, fault: str
) -> None:
    scene = await in_call(site, person, connected=False)
    twilio.faults.append(fault)
    with_twilio = await make_site(**twilio.settings, stun_urls=("stun:stun.test:3478",))
    answer = await with_twilio.client.get(path(scene.call_id), token=scene.people.anna.token)
    assert (answer.status, answer.json["iceServers"]) == (200, [{"urls": ["stun:stun.test:3478"]}])
    assert twilio.asked == [LIFE]


async def test_twilio_is_called_once_per_user_and_call(
    make_site: MakeSite, site: Running, person: MakePerson, twilio: TwilioStandIn
) -> None:
    scene = await in_call(site, person)
    with_twilio = await make_site(**twilio.settings)
    answers = [
        await with_twilio.client.get(path(scene.call_id), token=scene.people.anna.token) for _ in range(3)
    ]
    assert {answer.json["iceServers"][0]["username"] for answer in answers} == {"user-1"}


# -- relay only --


async def test_the_call_page_contains_the_relay_only_setting(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    scene = await in_call(site, person)
    shielded = await make_site(**COTURN, relay_only=True)
    for running, is_shielded in ((site, False), (shielded, True)):
        page = await running.client.get(
            f"/calls/{scene.call_id}", token=scene.people.anna.token, headers={"Accept": "text/html"}
        )
        assert ("data-relay-only" in page.text) == is_shielded


DIRECT = "candidate:1 1 udp 2122260223 192.168.7.7 54400 typ host"
RELAY = "candidate:3 1 udp 41885439 203.0.113.5 50001 typ relay raddr 0.0.0.0 rport 9"


@pytest.mark.parametrize("is_far", [False, True], ids=["one process", "two processes"])
async def test_relay_only_filters_signalling(
    make_site: MakeSite, person: MakePerson, site: Running, is_far: bool
) -> None:
    near = await make_site(**COTURN, relay_only=True)
    far = await make_site(**COTURN, relay_only=True) if is_far else near
    scene = await in_call(near, person, far)
    described = [
        "v=0",
        "o=- 1 2 IN IP4 192.168.7.7",
        "m=audio 9 X 0",
        "c=IN IP4 192.168.7.7",
        f"a={DIRECT}",
        f"a={RELAY}",
    ]
    sdp = "".join(f"{line}\r\n" for line in described)
    scene.a.send("rtc:ice", candidate={"candidate": DIRECT}, attempt=1)
    scene.a.send("rtc:ice", candidates=[{"candidate": DIRECT}, {"candidate": RELAY}], attempt=2)
    scene.a.send("rtc:offer", sdp=sdp, attempt=3)
    scene.a.send("media:state", audio=True, video=False)
    assert await scene.b.receive("rtc:ice") == {
        "type": "rtc:ice",
        "candidates": [{"candidate": RELAY}],
        "attempt": 2,
    }
    offer = await scene.b.receive("rtc:offer")
    assert "192.168.7.7" not in offer["sdp"]
    assert f"a={RELAY}" in offer["sdp"]
    await scene.b.receive("media:state", audio=True)
    assert not [message for message in scene.b.inbox if message["type"] == "rtc:ice"]


async def test_without_relay_only_frames_are_not_filtered(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    scene.a.send("rtc:ice", candidate={"candidate": DIRECT, "more": 1}, attempt=1)
    assert (await scene.b.receive("rtc:ice"))["candidate"] == {"candidate": DIRECT, "more": 1}
