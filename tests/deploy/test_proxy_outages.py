"""Outages of external PostgreSQL and Redis, under a site behind each proxy that it has.

nginx and Caddy run with the shipped files; with `TLS`, as in the image, Caddy is the site's own child.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.outage_scene import ExternalServers, check_outage
from tests.deploy.shipped_proxies import PublicPorts, caddy, nginx
from tests.journeys.server_process import ServerProcess
from tests.machines.faults.fault_proxy import Fault
from tests.turn.coturn import free_port

# One process of pytest-xdist: they share the site.
pytestmark = pytest.mark.xdist_group("proxy-outages")
PROXIES = {"nginx": nginx, "caddy": caddy}
PROXY_ERRORS = ("[error]", "[crit]", "[alert]", "[emerg]", '"level":"error"')
KINDS: tuple[Fault, ...] = ("refused", "reset", "silent")
SHORT = {("nginx", "postgres", "silent"), ("caddy", "redis", "silent")}


@dataclass(frozen=True)
class PublicSite:
    """One process, and the address at which its proxy serves it."""

    servers: ExternalServers
    process: ServerProcess
    url: str


@contextmanager
def public_directory() -> Iterator[Path]:
    """nginx and PostgreSQL drop root's rights, so pytest's own directory is not for them."""
    with tempfile.TemporaryDirectory(prefix="napalmsky-outages-") as home:
        Path(home).chmod(0o755)
        yield Path(home)


@contextmanager
def serving(ports: PublicPorts, **settings: str) -> Iterator[PublicSite]:
    with public_directory() as home, ExternalServers(home) as servers:
        url = f"https://localhost:{ports.https}"
        process = ServerProcess(home, free_port(), WORKERS="1", BASE_URL=url, **servers.settings, **settings)
        process.start()
        yield PublicSite(servers, process, url)
        process.stop()


@pytest.fixture(scope="module")
def ports() -> PublicPorts:
    return PublicPorts()


@pytest.fixture(scope="module")
def site(ports: PublicPorts) -> Iterator[PublicSite]:
    with serving(ports, TRUSTED_PROXIES="127.0.0.1,::1") as site:
        yield site


@pytest.fixture(scope="module")
def own_caddy() -> Iterator[PublicSite]:
    ports = PublicPorts()
    numbers = {"HTTP_PORT": str(ports.http), "HTTPS_PORT": str(ports.https)}
    with serving(ports, TLS="internal", TURN="off", **numbers) as site:
        yield site


@pytest.fixture(scope="module")
def proxy_log(site: PublicSite, ports: PublicPorts, request: pytest.FixtureRequest) -> Iterator[Path]:
    with (
        public_directory() as home,
        PROXIES[request.param](home, "localhost", ports, site.process.port) as log,
    ):
        yield log


CASES = [
    pytest.param(proxy, server, kind, marks=[] if (proxy, server, kind) in SHORT else [pytest.mark.prove])
    for proxy in PROXIES
    for server in ("postgres", "redis")
    for kind in KINDS
]


@pytest.mark.parametrize(("proxy_log", "server", "kind"), CASES, indirect=["proxy_log"])
async def test_an_outage_behind_the_proxy(
    site: PublicSite, proxy_log: Path, server: str, kind: Fault
) -> None:
    before = len(site.process.faults)
    await check_outage(site.url, site.servers, server, kind)
    assert site.process.faults[before:] == []
    assert errors_in(proxy_log) == []


@pytest.mark.prove
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("server", ["postgres", "redis"])
async def test_an_outage_behind_our_own_caddy(own_caddy: PublicSite, server: str, kind: Fault) -> None:
    before = len(own_caddy.process.faults)
    await check_outage(own_caddy.url, own_caddy.servers, server, kind)
    assert own_caddy.process.faults[before:] == []


def errors_in(proxy_log: Path) -> list[str]:
    lines = proxy_log.read_text().splitlines()
    return [line for line in lines if any(mark in line for mark in PROXY_ERRORS)]
