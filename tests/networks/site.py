"""The site and coturn on the public side of a neighbourhood.

PostgreSQL and Redis are reached by their Unix sockets, which know no network namespaces.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.journeys.server_process import ServerProcess
from tests.machines.servers import Pair
from tests.networks.neighbourhood import SITE, SITE_6, TURN, TURN_6, TURN_OTHER, Neighbourhood
from tests.turn.coturn import SECRET, SHIPPED

HOST, PORT, TURN_PORT = "site.test", 443, 3478
# By address: Chromium's rules for names do not reach WebRTC.
PLAIN, PLAIN_6 = f"turn:{TURN}:{TURN_PORT}", f"turn:[{TURN_6}]:{TURN_PORT}"
TURN_URLS = [PLAIN, f"{PLAIN}?transport=tcp", f"turns:{TURN}:{PORT}?transport=tcp", PLAIN_6]
ASK = """
import http.client, sys
connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=2)
connection.request("GET", "/readyz")
sys.exit(connection.getresponse().status != 200)
"""
SIGN = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
    f"-subj /CN={TURN} -addext subjectAltName=IP:{TURN} -keyout key.pem -out cert.pem"
)


def resolver_rules(family: int) -> str:
    """The name of the site, as Chromium's `--host-resolver-rules`."""
    return f"MAP {HOST} {SITE if family == 4 else f'[{SITE_6}]'}"


class PublicSite(ServerProcess):
    address = SITE

    def __init__(
        self, home: Path, place: Neighbourhood, pair: Pair, port: int = PORT, **settings: str
    ) -> None:
        self.prefix = tuple(place.public.prefix)
        own = {
            "HOST": "::", "BASE_URL": f"http://{HOST}:{PORT}", "ALLOW_TEST_CHECKOUT": "true",
            "DATABASE_URL": pair.database_url, "REDIS_URL": pair.redis_url, "COOLDOWN_CONNECTED_SECONDS": "0",
            "STUN_URLS": f"stun:{TURN}:{TURN_PORT}", "TURN_URLS": ",".join(TURN_URLS), "TURN_SECRET": SECRET,
        }  # fmt: skip
        super().__init__(home, port, **(own | settings))
        self.url = f"http://{HOST}:{PORT}"

    def is_ready(self) -> bool:
        command = [*self.prefix, sys.executable, "-c", ASK, self.address, str(self.port)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


class PublicCoturn:
    """coturn with the settings file that we ship and nothing else: UDP and TCP on 3478, TLS on 443."""

    def __init__(self, home: Path, place: Neighbourhood) -> None:
        self._home, self._place = home, place

    def __enter__(self) -> PublicCoturn:
        subprocess.run(SIGN.split(), cwd=self._home, check=True, capture_output=True)
        with (self._home / "coturn.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *self._place.relay.prefix, "turnserver", "-c", str(SHIPPED),
                    "--static-auth-secret", SECRET,
                    *(f"--listening-ip={one}" for one in (TURN, TURN_OTHER, TURN_6)),
                    *(f"--relay-ip={one}" for one in (TURN, TURN_6)),
                    "--cert=cert.pem", "--pkey=key.pem",
                ],
                cwd=self._home, stdout=log, stderr=log,
            )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(60)
