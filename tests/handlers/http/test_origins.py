"""Origins: who may send writes, who may read our JSON cross-origin, and the headers of every answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handlers.http.security_headers import security_headers
from models.settings.config import Config
from tests.conftest import MakePerson, MakeSite, Running

APP = "https://app.example"
GUEST = {"name": "Ann", "gender": "female", "adult": True}


async def test_a_foreign_origin_cannot_write_with_any_credentials(site: Running, person: MakePerson) -> None:
    anna = await person("Anna")
    for origin in ("null", "https://evil.example", site.base_url + "0", "http://localhost", APP, ""):
        for headers in ({}, {"Cookie": f"session={anna.token}"}, {"Authorization": f"Bearer {anna.token}"}):
            answer = await site.client.post("/auth/guest", GUEST, headers=headers | {"Origin": origin})
            assert (answer.status, answer.code) == (403, "not_allowed"), (origin, headers)


async def test_our_own_origins_and_requests_without_one_may_write(site: Running) -> None:
    port = site.config.port
    for origin in (None, f"http://localhost:{port}", f"http://127.0.0.1:{port}", f"http://[::1]:{port}"):
        headers = {"Origin": origin} if origin else {}
        assert (await site.client.post("/auth/guest", GUEST, headers=headers)).status == 201


async def test_a_link_from_any_site_works(site: Running) -> None:
    answer = await site.client.get("/stats/live", headers={"Origin": "https://evil.example"})
    assert answer.status == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_an_allowed_origin_reads_and_writes_without_credentials(
    make_site: MakeSite, site: Running
) -> None:
    other = await make_site(allowed_origins=(APP,))
    preflight = await other.client.send("OPTIONS", "/auth/guest", headers={"Origin": APP})
    assert preflight.status == 204
    answers = [
        preflight,
        await other.client.post("/auth/guest", GUEST, headers={"Origin": APP}),
        await other.client.get("/stats/live", headers={"Origin": APP}),
        await other.client.get("/user/me", headers={"Origin": APP}),
    ]
    assert [answer.status for answer in answers] == [204, 201, 200, 401]
    for answer in answers:
        assert answer.headers["Access-Control-Allow-Origin"] == APP
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Origin" in ",".join(answer.headers.get_list("Vary"))
    for origin in ("https://evil.example", "null", APP + ".evil.example"):
        answer = await other.client.send("OPTIONS", "/auth/guest", headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Origin" in ",".join(answer.headers.get_list("Vary"))


@pytest.mark.parametrize(
    "path", ["/", "/stats/live", "/nowhere", "/static/css/app.css", "/healthz", "/history"]
)
async def test_every_answer_has_the_security_headers(site: Running, path: str) -> None:
    answer = await site.client.get(path, headers={"Accept": "text/html"})
    policy = answer.headers["Content-Security-Policy"]
    for part in ("default-src 'self'", "script-src 'self'", "object-src 'none'", "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Server" not in answer.headers
    assert "Strict-Transport-Security" not in answer.headers


def test_behind_tls_sockets_are_secure_and_plain_http_is_redirected() -> None:
    headers = security_headers(replace(Config(), base_url="https://napalmsky.example"))
    assert "connect-src 'self' wss://napalmsky.example;" in headers["Content-Security-Policy"]
    assert "max-age" in headers["Strict-Transport-Security"]


@pytest.mark.parametrize(
    ("base_url", "ours"),
    [
        (
            "https://sky.example:443",
            ["https://sky.example", "https://sky.example:443", "HTTPS://SKY.example"],
        ),
        ("http://sky.example:80/", ["http://sky.example", "http://sky.example:80", "http://sky.example."]),
        ("https://Sky.Example.", ["https://sky.example", "https://sky.example."]),
        ("https://bücher.example", ["https://xn--bcher-kva.example"]),
        ("https://xn--bcher-kva.example:443", ["https://xn--bcher-kva.example"]),
        ("https://[2001:DB8:0::1]:8443", ["https://[2001:db8::1]:8443", "https://[2001:0db8::0:1]:8443"]),
    ],
)
async def test_a_base_url_in_any_form_is_one_origin(
    make_site: MakeSite, base_url: str, ours: list[str]
) -> None:
    site = await make_site(base_url=base_url)
    for origin in ours:
        answer = await site.client.post("/auth/guest", GUEST, headers={"Origin": origin})
        assert answer.status == 201, origin
    foreign = [
        "https://sky.example:8443",
        "http://[2001:db8::1]:8443",
        "https://sky.example, https://sky.example",
    ]
    for origin in [*foreign, *(f"{one}/" for one in ours), *(f"{one} {one}" for one in ours)]:
        answer = await site.client.post("/auth/guest", GUEST, headers={"Origin": origin})
        assert (answer.status, answer.code) == (403, "not_allowed"), origin


async def test_an_allowed_origin_in_any_form_gets_cors(make_site: MakeSite) -> None:
    site = await make_site(allowed_origins=("https://App.Example:443/",))
    answer = await site.client.post("/auth/guest", GUEST, headers={"Origin": APP})
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (201, APP)
