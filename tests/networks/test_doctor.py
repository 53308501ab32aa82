"""The doctor on a machine in a home: its real call passes the router, and it names a way that is blocked."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.checks.lines import Line
from tests.conftest import ROOT
from tests.machines.servers import Pair
from tests.networks.neighbourhood import SITE, TURN, Home, Neighbourhood
from tests.networks.site import HOST, PLAIN, PORT, TURN_PORT, PublicCoturn, PublicSite

UDP, TCP, TLS = WAYS = (PLAIN, f"{PLAIN}?transport=tcp", f"turns:{TURN}:{PORT}?transport=tcp")
STUN = f"stun:{TURN}:{TURN_PORT}"
# Names are looked up in this file, which only the command sees.
IN_HOME = 'mount --bind "$0" /etc/hosts && exec "$@"'
SECONDS = 120


class SecureSite(PublicSite):
    """Behind its own Caddy on 443, whose authority the doctor trusts, as it does coturn's certificate."""

    address = "127.0.0.1"

    def __init__(self, home: Path, place: Neighbourhood, pair: Pair) -> None:
        self._home, trusted = home, home / "trusted.pem"
        super().__init__(
            home, place, pair, 8080, BASE_URL=f"https://{HOST}", TLS="internal", TURN_URLS=",".join(WAYS),
            SMTP_URL="", MAIL_FROM="", SSL_CERT_FILE=str(trusted),
        )  # fmt: skip
        trusted.touch()

    def examined_from(self, home: Home) -> list[Line]:
        """What the doctor prints who runs on a machine of that home."""
        authority = self._home / "data/caddy/pki/authorities/local/root.crt"
        (self._home / "trusted.pem").write_text(authority.read_text() + (self._home / "cert.pem").read_text())
        hosts = self._home / "hosts"
        hosts.write_text(f"127.0.0.1 localhost\n{SITE} {HOST}\n")
        shell = ["unshare", "--mount", "sh", "-c", IN_HOME, str(hosts)]
        ran = subprocess.run(
            [*home.inside.prefix, *shell, sys.executable, "server.py", "doctor", "--json"],
            cwd=ROOT, env=self._environment, stdout=subprocess.PIPE, timeout=SECONDS, check=False,
        )  # fmt: skip
        return [Line(**one) for one in json.loads(ran.stdout)["lines"]]


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[SecureSite, Home]]:
    # Not in pytest's own directory: PostgreSQL's account could not enter it.
    with tempfile.TemporaryDirectory(prefix="napalmsky-test-") as name, Neighbourhood() as place:
        home = Path(name)
        home.chmod(0o755)
        with PublicCoturn(home, place):
            servers = home / "servers"
            servers.mkdir()
            pair = Pair(servers)
            pair.start()
            site = SecureSite(home, place, pair)
            try:
                site.start()
                place.homes[0].reset()
                yield site, place.homes[0]
            finally:
                site.stop()
                pair.stop()


@pytest.mark.prove
@pytest.mark.parametrize(
    ("rules", "blocked"),
    [
        ((), ()),
        (("meta l4proto udp",), (("turn", UDP), ("stun", STUN))),
        ((f"tcp dport {TURN_PORT}",), (("turn", TCP),)),
        ((f"ip daddr {TURN} tcp dport {PORT}",), (("turn", TLS),)),
    ],
    ids=["all open", "no UDP", "no TCP on 3478", "no TLS"],
)
def test_the_call_takes_every_way_that_is_open_and_the_others_are_named(
    site: tuple[SecureSite, Home], rules: tuple[str, ...], blocked: tuple[tuple[str, str], ...]
) -> None:
    server, home = site
    home.fault(*rules)
    lines = server.examined_from(home)
    assert (home.dropped > 0) == bool(rules)
    wrong = {(line.check, line.text.split(": ")[1]) for line in lines if line.state == "wrong"}
    assert wrong == set(blocked), lines
    fine = {(line.check, line.text.split(": ")[0]) for line in lines if line.state == "fine"}
    open_ways = {url for url in WAYS if ("turn", url) not in blocked}
    assert {what for check, what in fine if check == "relayed"} == open_ways
    assert "direct" in {check for check, _ in fine}
