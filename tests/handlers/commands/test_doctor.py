"""`python server.py doctor`: a healthy site has no fault, and each planted fault is named by its setting."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tornado.testing import bind_unused_port

from handlers.commands.doctor import doctor, examine
from models.checks.lines import Line
from models.postgres.migrations import migrate
from models.processes.embedded import Embedded
from tests.conftest import MakeSite, Running, Servers
from tests.support.billing.fake_stripe import StripeStandIn
from tests.support.billing.stripe_books import KEY
from tests.support.billing.stripe_events import SECRET
from tests.support.odd_proxy import Change, proxy, replacing, without
from tests.turn.coturn import SECRET as TURN_SECRET
from tests.turn.coturn import Coturn

Environment = dict[str, str]


@pytest.fixture
def environment(servers: Servers, tmp_path: Path) -> Environment:
    """The settings of the site, as its operator has them."""
    return {
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "DATA_DIR": str(tmp_path),
        "TURN": "off",
    }


def of(site: Running, environment: Environment, **more: str) -> Environment:
    return environment | {"BASE_URL": site.base_url, "PORT": str(site.config.port)} | more


def wrongs(lines: list[Line]) -> list[tuple[str, str]]:
    """The check and the first word of each fault, which is the setting."""
    return [(line.check, line.text.split()[0].rstrip(":")) for line in lines if line.state == "wrong"]


async def test_a_healthy_site_has_no_fault(site: Running, environment: Environment) -> None:
    lines = await examine(of(site, environment))
    assert wrongs(lines) == []
    checked = {line.check for line in lines if line.state == "fine"}
    assert checked >= {"database", "redis", "disk", "dns", "address", "clock", "upgrade", "forwarding"}
    assert checked >= {"upload", "webhook", "direct"}


async def test_invalid_settings_are_all_named(environment: Environment) -> None:
    lines = await examine(environment | {"WORKERS": "0", "RING_SECONDS": "x"})
    assert wrongs(lines) == [("settings", "WORKERS"), ("settings", "RING_SECONDS")]


async def test_a_misspelled_setting(site: Running, environment: Environment) -> None:
    lines = await examine(of(site, environment, TURN_URL="turn:x"), has_call=False)
    assert ("settings", "TURN_URL") in wrongs(lines)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}, ("database", "DATABASE_URL")),
        ({"REDIS_URL": "redis://127.0.0.1:1"}, ("redis", "REDIS_URL")),
        ({"BASE_URL": "http://localhost:59999"}, ("address", "BASE_URL")),
        ({"BASE_URL": "http://nowhere.invalid", "ALLOW_TEST_CHECKOUT": "true"}, ("dns", "BASE_URL")),
        ({"DATA_DIR": "/proc/none"}, ("disk", "DATA_DIR")),
        ({"SMTP_URL": "smtp://127.0.0.1:1", "MAIL_FROM": "a@example.org"}, ("mail", "SMTP_URL")),
    ],
)
async def test_servers_that_cannot_be_reached(
    environment: Environment, settings: Environment, found: tuple[str, str]
) -> None:
    lines = await examine(environment | {"BASE_URL": "http://localhost:59999"} | settings)
    assert found in wrongs(lines)
    assert lines[-1] == Line("site", "skipped", "the faults above first")


def certificate(home: Path, days_left: float) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 of its own, which began 30 days ago."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days_left))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (home / "cert.pem").write_bytes(made.public_bytes(pem))
    (home / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(home / "cert.pem", home / "key.pem")
    return context


@pytest.mark.parametrize(
    ("days_left", "is_known", "found"),
    [
        (60, True, ("address", "BASE_URL")),  # accepted, but no site answers there
        (60, False, ("certificate", "BASE_URL")),
        (2, True, ("certificate", "TLS")),
        (-1, True, ("certificate", "BASE_URL")),
    ],
)
async def test_certificates(
    environment: Environment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    days_left: float,
    is_known: bool,
    found: tuple[str, str],
) -> None:
    """Accepted, self-signed, about to end, and ended."""
    own = certificate(tmp_path, days_left)
    if is_known:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=own)
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert wrongs(await examine(environment | {"BASE_URL": url})) == [found]


async def test_another_base_url_than_the_running_site(make_site: MakeSite, environment: Environment) -> None:
    site = await make_site(base_url="http://localhost:59999")
    lines = await examine(of(site, environment), has_call=False)
    assert ("upgrade", "BASE_URL") in wrongs(lines)
    assert ("forwarding", "BASE_URL") in wrongs(lines)


async def test_proxies_that_are_trusted_too_much(make_site: MakeSite, environment: Environment) -> None:
    site = await make_site(trusted_proxies=(ip_network("127.0.0.0/8"), ip_network("::1/128")))
    lines = await examine(of(site, environment), has_call=False)
    assert wrongs(lines) == [("forwarding", "TRUSTED_PROXIES")]


# -- proxies --


async def behind(
    make_site: MakeSite, environment: Environment, change: Change, *, trusts: bool = True, most: int = 1 << 30
) -> list[tuple[str, str]]:
    """The faults of a site behind a proxy."""
    _, port = bound = bind_unused_port()
    bound[0].close()
    networks = (ip_network("127.0.0.1/32"),) if trusts else ()
    site = await make_site(base_url=f"http://localhost:{port}", trusted_proxies=networks)
    async with proxy(site.config.port, port, change, most_bytes=most):
        return wrongs(
            await examine(of(site, environment, BASE_URL=f"http://localhost:{port}"), has_call=False)
        )


@pytest.mark.parametrize(
    ("change", "options", "found"),
    [
        (replacing("X-Forwarded-For", "192.0.2.9"), {}, []),
        (replacing("X-Forwarded-For", "192.0.2.9"), {"trusts": False}, [("forwarding", "TRUSTED_PROXIES")]),
        (replacing("X-Forwarded-For", "192.0.2.9, 10.0.0.7"), {}, [("forwarding", "TRUSTED_PROXIES")]),
        (without("Upgrade"), {"trusts": False}, [("upgrade", "proxy")]),
        (replacing("X-Forwarded-For", "192.0.2.9"), {"most": 1 << 20}, [("upload", "proxy")]),
    ],
    ids=["healthy", "not trusted", "further proxy", "no upgrade", "small bodies"],
)
async def test_a_proxy(
    make_site: MakeSite,
    environment: Environment,
    change: Change,
    options: dict[str, Any],
    found: list[tuple[str, str]],
) -> None:
    assert await behind(make_site, environment, change, **options) == found


async def test_a_proxy_without_a_site(environment: Environment) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = f"http://localhost:{server.sockets[0].getsockname()[1]}"
        assert wrongs(await examine(environment | {"BASE_URL": url})) == [("address", "BASE_URL")]


async def test_an_age_provider_that_does_not_answer(site: Running, environment: Environment) -> None:
    """Without it, no user gets in, and the operator is not one of them."""
    provider = {
        "MINIMUM_AGE_CHECK": "provider", "AGE_PROVIDER_URL": "http://127.0.0.1:1", "AGE_CLIENT_ID": "sky",
        "AGE_CLIENT_SECRET": "a secret of the client",
    }  # fmt: skip
    lines = await examine(of(site, environment, **provider), has_call=False)
    assert wrongs(lines) == [("age", "AGE_PROVIDER_URL")]


# -- payments --


async def paying(
    make_site: MakeSite, environment: Environment, stripe: StripeStandIn, **more: str
) -> list[tuple[str, str]]:
    """The faults of a site with Stripe's key."""
    site = await make_site(**stripe.settings)
    if not stripe.endpoints:
        stripe.add_endpoint(f"{site.base_url}/payment/webhook")
    keys = {"STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRET": SECRET, "STRIPE_API_BASE": stripe.api_base}
    return wrongs(await examine(of(site, environment, PRICE_CENTS="50", **(keys | more)), has_call=False))


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, []),
        ({"STRIPE_WEBHOOK_SECRET": "whsec_of_another_endpoint"}, [("webhook", "STRIPE_WEBHOOK_SECRET")]),
        ({"STRIPE_SECRET_KEY": "sk_test_revoked12345"}, [("stripe", "STRIPE_SECRET_KEY")]),
        ({"STRIPE_API_BASE": "http://127.0.0.1:1"}, [("stripe", "STRIPE_API_BASE")]),
    ],
)
async def test_stripe(
    make_site: MakeSite,
    environment: Environment,
    stripe: StripeStandIn,
    more: Environment,
    found: list[tuple[str, str]],
) -> None:
    assert await paying(make_site, environment, stripe, **more) == found


@pytest.mark.parametrize(
    ("url", "events"), [("https://old.example.org/payment/webhook", ["*"]), (None, ["charge.refunded"])]
)
async def test_stripe_without_our_endpoint(
    make_site: MakeSite,
    environment: Environment,
    stripe: StripeStandIn,
    url: str | None,
    events: list[str],
) -> None:
    site = await make_site(**stripe.settings)
    stripe.add_endpoint(url or f"{site.base_url}/payment/webhook", events)
    keys = {"STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRET": SECRET, "STRIPE_API_BASE": stripe.api_base}
    lines = await examine(of(site, environment, PRICE_CENTS="50", **keys), has_call=False)
    assert wrongs(lines) == [("stripe", "STRIPE_WEBHOOK_SECRET")]


async def test_another_database_than_the_running_site(
    site: Running, environment: Environment, place: Path
) -> None:
    with Embedded.start(place, redis=False, durable=False) as other:
        migrate(other.database_url)
        lines = await examine(of(site, environment, DATABASE_URL=other.database_url), has_call=False)
    assert wrongs(lines) == [("forwarding", "BASE_URL")]
    assert lines[-1] == Line("site", "skipped", "the fault above first")


# -- TURN, and the report --


async def test_turn_servers(make_site: MakeSite, environment: Environment, tmp_path: Path) -> None:
    with Coturn(tmp_path, secret="another-secret-of-this-coturn") as coturn:
        urls = (coturn.urls[0], "turn:127.0.0.1:9?transport=tcp")
        site = await make_site(turn_urls=urls, turn_secret=TURN_SECRET)
        turn = {"TURN_URLS": ",".join(urls), "TURN_SECRET": TURN_SECRET}
        lines = await examine(of(site, environment, **turn))
    assert wrongs(lines) == [("turn", "TURN_SECRET"), ("turn", "TURN_URLS")]


@pytest.mark.prove
async def test_a_relay_that_passes_nothing_on(
    make_site: MakeSite, environment: Environment, tmp_path: Path
) -> None:
    """The shipped file denies loopback peers, as the addresses of these relays are."""
    with Coturn(tmp_path) as coturn:
        site = await make_site(turn_urls=tuple(coturn.urls), turn_secret=TURN_SECRET)
        turn = {"TURN_URLS": ",".join(coturn.urls), "TURN_SECRET": TURN_SECRET}
        lines = await examine(of(site, environment, **turn))
    assert wrongs(lines) == [("relayed", "TURN_URLS")] * 2


async def test_the_report(
    site: Running, environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await doctor(["--no-call"], of(site, environment)) == 0
    assert re.search(r"^fine +dns +localhost is 127.0.0.1", capsys.readouterr().out, re.M)
    assert await doctor(["--json"], environment | {"PORT": "x"}) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["isFine"], told["lines"][0]["state"]) == (False, "wrong")
