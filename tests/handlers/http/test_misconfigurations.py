"""Rejections that only the operator can fix: in the log with the setting, in /metrics, in /readyz."""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from tornado.httpclient import HTTPClientError
from tornado.httputil import HTTPHeaders

from handlers.http.misconfigurations import MOST_PEERS, Misconfigurations
from models.monitoring.misconfiguration_causes import CAUSES
from models.settings.config import Config
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.billing.stripe_events import SECRET, object_event, signature
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


OTHER_SECRET = "whsec_another0123456789"


PAYING = {"stripe_secret_key": "sk_test_0123456789", "stripe_webhook_secrets": (SECRET,)}


async def deliver(site: Running, body: bytes, header: str) -> int:
    headers = {"Stripe-Signature": header}
    return (await site.client.send("POST", "/payment/webhook", body=body, headers=headers)).status


async def test_a_wrong_webhook_secret_and_a_wrong_clock(make_site: MakeSite, logged: Logged) -> None:
    paying = await make_site(**PAYING)
    event = object_event("charge.refunded", {})
    for header in (signature(event, OTHER_SECRET), signature(event, SECRET, age=3600)):
        assert await deliver(paying, event, header) == 400
    assert logged() == [("webhook_secret", "STRIPE_WEBHOOK_SECRET"), ("webhook_clock", "clock")]


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (object_event("charge.refunded", {}), "garbage"),
        (object_event("charge.refunded", {}), "t=1,v1=x"),
        (object_event("charge.refunded", {}), f"t=1700000000,v1={'z' * 64}"),
        (b"{}", f"t=1700000000,v1={'a' * 64}"),
        (b"garbage", f"t=1700000000,v1={'a' * 64}"),
        (b'{"id": "x", "object": "event", "type": "a", "created": 1, "data": {}}',
         f"t=1700000000,v1={'a' * 64}"),
        (b"[" * 100_000, f"t=1700000000,v1={'a' * 64}"),
    ],
    ids=["word", "short", "no hexadecimal", "no event", "no JSON", "no id of an event", "deep"],
)  # fmt: skip
async def test_a_forged_event_is_no_fault_of_the_operator(
    make_site: MakeSite, logged: Logged, body: bytes, header: str
) -> None:
    paying = await make_site(**PAYING)
    for _ in range(3):
        assert await deliver(paying, body, header) == 400
    assert (logged(), await warnings(paying)) == ([], {})


async def test_a_valid_event_proves_the_secret(make_site: MakeSite, logged: Logged) -> None:
    paying = await make_site(**PAYING)
    forged, event = object_event("charge.refunded", {}), object_event("product.created", {"id": "prod_1"})
    for _ in range(3):
        assert await deliver(paying, forged, signature(forged, OTHER_SECRET)) == 400
    assert set(await warnings(paying)) == {"webhook_secret"}
    assert await deliver(paying, event, signature(event, SECRET)) == 200
    for _ in range(3):
        assert await deliver(paying, forged, signature(forged, OTHER_SECRET)) == 400
    assert await warnings(paying) == {}
    assert logged() == [("webhook_secret", "STRIPE_WEBHOOK_SECRET")]


async def test_a_header_sent_by_a_stranger_is_not_a_proxy(site: Running, logged: Logged) -> None:
    """All visitors of this peer have its address, as behind the gateway of a container network."""
    await site.client.get("/stats/live")
    for _ in range(3):
        await site.client.get("/stats/live", headers={"X-Forwarded-For": "203.0.113.7"})
    assert (logged(), await warnings(site)) == ([], {})


async def test_a_request_of_the_operator_s_own_leaves_the_finding(site: Running, logged: Logged) -> None:
    for _ in range(20):
        await site.client.get("/stats/live", headers={"X-Forwarded-For": "203.0.113.7"})
    await site.client.get("/stats/live")
    assert set(await warnings(site)) == {"proxy"}
    for _ in range(3):
        await site.client.get("/stats/live")
    assert await warnings(site) == {}


def request_of(peer: str, **headers: str) -> Any:
    return SimpleNamespace(
        remote_ip=peer, headers=HTTPHeaders({k.replace("_", "-"): v for k, v in headers.items()})
    )


@pytest.mark.parametrize(
    ("peer", "noted"),
    [("203.0.113.7", True), ("8.8.8.8", False), ("2606:4700::1111", False), ("10.0.0.1", True),
     ("100.64.0.1", True), ("fe80::1%eth0", True), ("::ffff:172.17.0.1", True), ("::ffff:8.8.8.8", False)],
)  # fmt: skip
def test_public_peers_are_visitors(peer: str, noted: bool, logged: Logged) -> None:
    """203.0.113.0/24 is reserved for documentation."""
    found = Misconfigurations()
    found.watch(request_of(peer, X_Forwarded_For="192.0.2.1"), Config())
    assert bool(logged()) is noted


def test_the_peers_that_are_counted_are_limited() -> None:
    found: Any = Misconfigurations()
    for number in range(300):
        found.watch(request_of(f"10.0.{number // 250}.{number % 250}"), Config())
    assert len(found._peers) == MOST_PEERS


async def test_a_link_to_a_socket_is_not_a_proxy(site: Running, logged: Logged) -> None:
    assert (await site.client.get("/ws/invites")).status == 403
    assert (await site.client.get("/ws/invites", headers={"Origin": "https://x.example"})).status == 403
    assert ("upgrade", "proxy") not in logged()
    await site.client.get("/ws/invites", headers={"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    assert ("upgrade", "proxy") in logged()


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


async def test_a_network_whose_people_cannot_all_sign_up(make_site: MakeSite, logged: Logged) -> None:
    """An event behind one address: the log names the limit, not only the guest who is refused."""
    site = await make_site(guests_per_hour=1)
    for status in (201, 429):
        assert (await site.client.post("/auth/guest", GUEST)).status == status
    assert logged() == [("sign_ups", "GUESTS_PER_HOUR")]


async def test_a_network_whose_people_cannot_all_connect(
    make_site: MakeSite, person: MakePerson, logged: Logged
) -> None:
    site = await make_site(sockets_per_address=1)
    first = await site.invites(await person("Anna"))
    with pytest.raises(ConnectionError, match="4429"):
        await site.invites(await person("Ben"))
    assert logged() == [("sockets", "SOCKETS_PER_ADDRESS")]
    first.close()


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


@pytest.mark.parametrize(
    ("headers", "cause"),
    [
        ({"X-Real-IP": "203.0.113.7"}, "proxy_address"),
        ({"CF-Connecting-IP": "203.0.113.7", "X-Forwarded-Proto": "https"}, "proxy_address"),
        # Of two proxies, TRUSTED_PROXIES names only the outer one.
        ({"X-Forwarded-For": "203.0.113.7, 10.0.0.7"}, "proxy"),
        ({"X-Forwarded-For": "10.0.0.7"}, None),
        ({"X-Forwarded-For": "1.2.3.4, 203.0.113.7"}, None),
    ],
)
async def test_an_address_that_does_not_arrive(
    make_site: MakeSite, logged: Logged, headers: dict[str, str], cause: str | None
) -> None:
    behind = await make_site(trusted_proxies=(ipaddress.ip_network("127.0.0.0/8"),))
    for _ in range(3):
        await behind.client.get("/stats/live", headers=headers)
    assert [one for one, _ in logged()] == ([cause] if cause else [])


async def test_a_few_such_headers_are_no_proxys(site: Running, logged: Logged) -> None:
    await site.client.get("/stats/live")
    for _ in range(3):
        await site.client.get("/stats/live", headers={"X-Real-IP": "203.0.113.7"})
    assert logged() == []


async def test_a_proxy_that_makes_browsers_hide_the_origin(site: Running, logged: Logged) -> None:
    """With `Referrer-Policy: no-referrer`, forms of our own pages have `Origin: null` (Fetch, 3.1)."""
    hidden = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    answer = await site.client.post("/auth/guest", GUEST, headers=hidden)
    assert answer.status == 403
    assert "hides" in answer.json["error"]["message"]
    assert logged() == [("hidden_origin", "proxy")]
    other = hidden | {"Sec-Fetch-Site": "cross-site"}
    assert (
        "another site"
        in (await site.client.post("/auth/guest", GUEST, headers=other)).json["error"]["message"]
    )
