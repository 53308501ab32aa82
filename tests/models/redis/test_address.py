"""REDIS_URL: user, password, database, name and TLS, each against a real server."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.errors import Unavailable
from models.redis.address import RedisAddress
from tests.machines.faults.fault_proxy import FaultProxy
from tests.support.faults.redis_faults import FaultyRedis, bus_at

SIGN = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
    "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem"
)


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[FaultyRedis]:
    with FaultyRedis.running(tmp_path / "data") as running:
        yield running


async def test_the_first_commands() -> None:
    said = {
        "redis://h": [],
        "unix:///run/redis.sock?db=2": [("SELECT", 2)],
        "redis://:p%40ss@h/0": [("AUTH", "p@ss")],
        "rediss://user:pass@h:1/3?client_name=site": [
            ("AUTH", "user", "pass"),
            ("CLIENT", "SETNAME", "site"),
            ("SELECT", 3),
        ],
    }
    for url, commands in said.items():
        assert await RedisAddress(url).greeting() == [*commands, ("PING",)]


async def test_a_user_a_database_and_a_name(faulty: FaultyRedis) -> None:
    faulty.say("ACL", "SETUSER", "site", "on", ">p@ss", "~*", "&*", "+@all")
    url = faulty.url.replace("redis://", "redis://site:p%40ss@") + "/3?client_name=night"
    async with bus_at(url, "p") as bus:
        await bus.open("ns:a", lambda _channel, _news: None)
        mine = [
            line for line in (await bus.command("client", "list")).decode().split("\n") if "night" in line
        ]
        assert len(mine) == 2
        assert all(" db=3 " in line and " user=site " in line for line in mine)


async def test_credentials_that_redis_does_not_know(
    faulty: FaultyRedis, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("redis://nobody:x@", "redis://:x@"):
        async with bus_at(faulty.url.replace("redis://", name), "p") as bus:
            with pytest.raises(Unavailable):
                await bus.command("ping")
    assert any("rejects the user or the password" in message for message in caplog.messages)
    assert any("rejects the sign-in" in message for message in caplog.messages)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    subprocess.run(SIGN.split(), cwd=tmp_path, check=True, capture_output=True)
    return tmp_path / "cert.pem"


async def test_tls_is_checked_as_the_url_says(faulty: FaultyRedis, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with FaultProxy(("127.0.0.1", faulty.proxy.port), context) as tls:
        url = f"rediss://localhost:{tls.port}"
        async with bus_at(url, "p") as bus:
            with pytest.raises(Unavailable):
                await bus.command("ping")
        async with bus_at(f"{url}?ssl_ca_certs={certificate}", "p") as bus:
            await bus.open("ns:a", lambda _channel, _news: None)
            assert await bus.command("ping") == b"PONG"
        async with bus_at(f"{url}?ssl_cert_reqs=none&ssl_check_hostname=false", "p") as bus:
            assert await bus.command("ping") == b"PONG"
