"""Our own Caddy and coturn: the real programs in front of and beside the real server.py, on loopback."""

from __future__ import annotations

import os
import signal
import ssl
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.sync.client import connect

from models.findings import Findings
from models.processes.data_directory import EmbeddedError
from models.processes.own_servers import missing_programs, own_servers
from models.settings.config import Config
from tests.journeys.server_process import ServerProcess
from tests.support.pace import within
from tests.turn.coturn import free_port
from tests.turn.stun import Refused, TurnClient


class Whole(ServerProcess):
    """The site with its own Caddy (`TLS=internal`) and coturn."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home, self.https, self.http, self.turn = home, free_port(), free_port(), free_port()
        self.turn_tls = free_port()
        own = {
            "TLS": "internal", "HTTP_PORT": str(self.http), "HTTPS_PORT": str(self.https), "TURN": "embedded",
            "TURN_PORT": str(self.turn), "TURN_TLS_PORT": str(self.turn_tls),
            "BASE_URL": f"https://localhost:{self.https}",
        }  # fmt: skip
        super().__init__(home, free_port(), **own | settings)

    def trusting(self) -> ssl.SSLContext:
        """Trusts the certificate authority of this Caddy only; it is there once Caddy has run."""
        root = self.home / "data/caddy/pki/authorities/local/root.crt"
        return ssl.create_default_context(cafile=str(root))

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"https://localhost:{self.https}", verify=self.trusting())

    def answers(self) -> bool:
        with self.client() as client:
            return client.get("/healthz").status_code == 200

    def relays(self, **ways: int) -> bool:
        with TurnClient.open(self.turn, **ways) as client:
            return client.bind() is not None

    def child(self, program: str) -> int:
        """Its pid."""
        children = psutil.Process(self.pid).children()
        return next(each.pid for each in children if each.name() == program and each.status() != "zombie")


@pytest.fixture(scope="module")
def site() -> Iterator[Whole]:
    with tempfile.TemporaryDirectory(prefix="napalmsky-test-") as home:
        os.chmod(home, 0o755)
        process = Whole(Path(home))
        process.start()
        until(process.answers)
        yield process
        process.stop()


def until(is_so) -> None:
    deadline = time.monotonic() + within(10)
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError, OSError, StopIteration):
            if is_so():
                return
        time.sleep(0.02)
    raise AssertionError("it does not happen")


def guest(site: Whole) -> str:
    """A session token."""
    with site.client() as client:
        fields = {"name": "Anna", "gender": "female", "adult": True}
        answer = client.post("/auth/guest", json=fields, headers={"Accept": "application/json"})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["sessionToken"])


def test_a_page_and_a_socket_pass_through_caddy(site: Whole) -> None:
    with site.client() as client:
        page = client.get("/")
        assert (page.status_code, "Strict-Transport-Security" in page.headers) == (200, True)
    headers = {"Authorization": f"Bearer {guest(site)}"}
    address = f"wss://localhost:{site.https}/ws/invites"
    with connect(address, ssl=site.trusting(), additional_headers=headers) as socket:
        assert '"type":"state"' in str(socket.recv(timeout=within(5)))


def test_a_client_cannot_choose_its_address(site: Whole) -> None:
    """Caddy replaces the header, so the limit of the checks counts the peer."""
    with site.client() as client:
        statuses = []
        for number in range(5):
            forged = {"X-Forwarded-For": f"203.0.113.{number}", "Accept": "application/json"}
            statuses.append(client.get("/turn/credentials?purpose=check", headers=forged).status_code)
    assert statuses[-1] == 429
    assert "TRUSTED_PROXIES" not in site.log.read_text()


def test_plain_http_and_other_names_are_redirected(site: Whole) -> None:
    moved = httpx.get(f"http://localhost:{site.http}/room?a=b", headers={"Host": "example.org"})
    assert (moved.status_code, moved.headers["Location"]) == (308, f"https://localhost:{site.https}/room?a=b")
    with site.client() as client:
        other = client.get("/room", headers={"Host": "www.example.org"})
    assert (other.status_code, other.headers["Location"]) == (308, f"https://localhost:{site.https}/room")


def test_metrics_are_not_public(site: Whole) -> None:
    with site.client() as client:
        assert client.get("/metrics").status_code == 404


def test_calls_are_offered_our_own_coturn_and_no_third_party(site: Whole) -> None:
    # The API's limit is per address, so this asks the site itself as another address.
    headers = {"Accept": "application/json", "X-Forwarded-For": "198.51.100.9"}
    told = httpx.get(f"http://127.0.0.1:{site.port}/turn/credentials?purpose=check", headers=headers).json()
    turn, stun = told["iceServers"]
    assert turn["urls"] == [
        f"turn:127.0.0.1:{site.turn}",
        f"turn:127.0.0.1:{site.turn}?transport=tcp",
        f"turns:localhost:{site.turn_tls}?transport=tcp",
    ]
    assert stun["urls"] == [f"stun:127.0.0.1:{site.turn}"]
    for way in ({}, {"is_tcp": True}):
        with TurnClient.open(site.turn, turn["username"], turn["credential"], **way) as client:
            assert 49152 <= client.allocate()[1] <= 49251
    with TurnClient.open(site.turn, turn["username"], "wrong") as client, pytest.raises(Refused, match="401"):
        client.allocate()


def test_coturn_serves_tls_once_caddy_has_a_certificate(site: Whole) -> None:
    until(lambda: site.relays(tls_port=site.turn_tls))


def test_the_secret_is_private(site: Whole) -> None:
    for name in ("secret", "turnserver.conf"):
        assert (site.home / "data/coturn" / name).stat().st_mode & 0o077 == 0
    secret = (site.home / "data/coturn/secret").read_text()
    assert secret not in " ".join(psutil.Process(site.child("turnserver")).cmdline())
    assert secret not in site.log.read_text()


@pytest.mark.parametrize("program", ["caddy", "turnserver"])
def test_one_that_dies_is_started_again(site: Whole, program: str) -> None:
    before = site.child(program)
    os.kill(before, signal.SIGKILL)
    until(lambda: site.child(program) != before)
    until(lambda: site.answers() and site.relays())
    setting = {"caddy": "TLS", "turnserver": "TURN"}[program]
    assert f'"setting": "{setting}"' in site.log.read_text()


def test_a_port_in_use_is_named(site: Whole) -> None:
    busy = Config(base_url="https://localhost", tls="internal", turn="embedded", turn_port=site.turn)
    with pytest.raises(EmbeddedError, match="TURN_PORT"):
        own_servers(busy, None)


def test_with_auto_a_busy_port_leaves_coturn_out(site: Whole) -> None:
    assert own_servers(Config(turn="auto", turn_port=site.turn), None).makers == []


def test_a_killed_site_leaves_no_port_in_use(site: Whole) -> None:
    site.crash()
    until(site.answers)


def test_a_program_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: "/nonexistent")
    needed = Config(base_url="https://localhost", tls="internal", turn="embedded")
    refused = missing_programs(needed).refused
    assert [text.split(":")[0] for text in refused] == ["TLS", "TURN"]
    assert missing_programs(Config(turn="auto")).notes[0].startswith("TURN: there is no coturn here")
    assert missing_programs(Config()) == Findings()
