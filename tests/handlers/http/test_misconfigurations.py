"""Rejections that only the operator can fix: in the log with the setting, in /metrics, in /readyz."""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
import redis
from tornado.httpclient import HTTPClientError

from handlers.http.misconfigurations import CAUSES, Misconfigurations
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.billing.stripe_events import SECRET, signature
from tests.support.servers import Servers

GUEST = {"name": "Ann", "gender": "female", "adult": True}
Logged = Callable[[], list[tuple[str, str]]]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Logged:
    caplog.set_level(logging.INFO)

    def found() -> list[tuple[str, str]]:
        records = [vars(record) for record in caplog.records if record.name.endswith("misconfigurations")]
        return [(record["cause"], record["setting"]) for record in records]

    return found


async def count(site: Running, cause: str) -> float:
    text = (await site.client.get("/metrics")).text
    found = re.search(rf'^napalmsky_misconfigurations_total{{cause="{cause}"}} (\S+)$', text, re.M)
    return float(found[1]) if found else 0.0


async def warnings(site: Running) -> dict[str, str]:
    answer = await site.client.get("/readyz")
    assert answer.status == 200
    return dict(answer.json.get("warnings", {}))


async def test_a_foreign_origin(site: Running, logged: Logged) -> None:
    before = await count(site, "origin")
    for _ in range(3):
        assert await warnings(site) == {}
        answer = await site.client.post("/auth/guest", GUEST, headers={"Origin": "https://app.example"})
        assert answer.status == 403
    assert logged() == [("origin", "ALLOWED_ORIGINS")]
    assert await count(site, "origin") == before + 3
    assert "ALLOWED_ORIGINS" in (await warnings(site))["origin"]


async def test_our_own_page_under_another_name(site: Running, logged: Logged) -> None:
    """BASE_URL has one name, users open another: Host and Origin match each other."""
    headers = {"Host": "sky.example:9000", "Origin": "http://sky.example:9000"}
    assert (await site.client.post("/auth/guest", GUEST, headers=headers)).status == 403
    tls = {"Host": "sky.example", "Origin": "https://sky.example:443"}
    assert (await site.client.post("/auth/guest", GUEST, headers=tls)).status == 403
    assert logged() == [("base_url", "BASE_URL")]


@pytest.mark.parametrize("origin", ["null", "x" * 5000, "https://a.example/\t{}", "https://<script>"])
async def test_an_invalid_origin_is_not_logged(site: Running, logged: Logged, origin: str) -> None:
    assert (await site.client.post("/auth/guest", GUEST, headers={"Origin": origin})).status == 403
    assert logged() == []


async def test_proxy_headers_of_a_peer_that_is_not_trusted(
    make_site: MakeSite, site: Running, logged: Logged
) -> None:
    await site.client.get("/stats/live", headers={"X-Forwarded-For": "203.0.113.7"})
    await site.client.get("/stats/live", headers={"Forwarded": "for=203.0.113.7"})
    assert logged() == [("proxy", "TRUSTED_PROXIES")]
    behind = await make_site(trusted_proxies=(ipaddress.ip_network("127.0.0.0/8"),))
    await behind.client.get("/stats/live", headers={"X-Forwarded-For": "203.0.113.7:4711"})
    assert len(logged()) == 1
    await behind.client.get("/stats/live", headers={"X-Forwarded-For": "203.0.113.7, unknown"})
    assert logged()[1:] == [("proxy_header", "TRUSTED_PROXIES")]


@pytest.mark.parametrize("path", ["/ws/invites", "/ws/calls/00000000-0000-4000-8000-000000000000"])
async def test_a_proxy_that_does_not_pass_on_upgrade(site: Running, logged: Logged, path: str) -> None:
    answer = await site.client.get(path, headers={"Origin": site.base_url})
    assert answer.status == 400
    assert logged() == [("upgrade", "proxy")]


async def test_a_wrong_webhook_secret_and_a_wrong_clock(make_site: MakeSite, logged: Logged) -> None:
    paying = await make_site(stripe_secret_key="sk_test_0123456789", stripe_webhook_secrets=(SECRET,))
    for header in (signature(b"{}", "whsec_another0123456789"), signature(b"{}", SECRET, age=3600)):
        answer = await paying.client.send(
            "POST", "/payment/webhook", body=b"{}", headers={"Stripe-Signature": header}
        )
        assert (answer.status, answer.code) == (400, "bad_request")
    assert logged() == [("webhook_secret", "STRIPE_WEBHOOK_SECRET"), ("webhook_clock", "clock")]


@pytest.mark.parametrize(
    "scheme", ["Basic eDp5", "Basic", "x", "Bearertoken", "Negotiate a,Bearer b", "Digest a=b"]
)
@pytest.mark.parametrize("path", ["/ws/invites", "/ws/calls/x"])
async def test_a_cookie_with_another_scheme_opens_no_socket(
    site: Running, person: MakePerson, path: str, scheme: str
) -> None:
    anna = await person()
    with pytest.raises(HTTPClientError) as refused:
        await site.socket(path, Cookie=f"session={anna.token}", Authorization=scheme)
    assert refused.value.code == 403


@pytest.mark.parametrize("scheme", ["Bearer", "Bearer x", "bearer  ", "BEARER x y"])
async def test_a_cookie_with_a_bearer_token_is_ignored(
    site: Running, person: MakePerson, scheme: str
) -> None:
    anna = await person()
    both = {"Cookie": f"session={anna.token}", "Authorization": scheme}
    assert await (await site.socket("/ws/invites", **both)).closed() == 4401
    assert (await site.client.get("/user/me", headers=both)).status == 401


async def test_a_proxys_basic_authentication_does_not_affect_the_cookie(
    site: Running, person: MakePerson
) -> None:
    anna = await person()
    both = {"Cookie": f"session={anna.token}", "Authorization": "Basic eDp5"}
    assert (await site.client.get("/user/me", headers=both)).status == 200
    socket = await site.socket("/ws/invites", Origin=site.base_url, **both)
    assert (await socket.receive("state"))["access"] == "comped"


def test_it_is_logged_once_a_minute_with_a_count(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    noted: Any = Misconfigurations(lambda: now[0])
    for second in (0, 1, 59, 60, 61, 300):
        now[0] = second
        noted.note("origin")
    assert [vars(record)["times"] for record in caplog.records] == [1, 3, 2]
    assert set(noted.persisting()) == {"origin"}
    now[0] = 60 + 601
    assert noted.persisting() == {}
    assert all(cause.setting for cause in CAUSES.values())


async def test_a_redis_that_may_evict(site: Running, logged: Logged, servers: Servers) -> None:
    with redis.Redis.from_url(servers.redis_url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            answers = [await site.client.get("/readyz") for _ in range(3)]
        finally:
            client.config_set("maxmemory-policy", "noeviction")
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert "noeviction" in answers[-1].json["warnings"]["redis_policy"]
    assert logged() == [("redis_policy", "REDIS_URL")]
