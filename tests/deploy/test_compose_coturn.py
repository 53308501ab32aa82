"""coturn of deploy/compose.yaml: its secret, and the certificate of Caddy, the first one and the next."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.deploy.test_compose import DEPLOY, SERVICES, VALUES
from tests.support.scenes import until
from tests.turn.coturn import free_port

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may read the key of Caddy's container")
HOST, ADDRESS = "127.0.0.1", "198.51.100.7"
SIGN = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x "
    "-keyout key -out crt"
)


class Service:
    """The service's command, with directories and ports of this test."""

    def __init__(self, home: Path, **more: str) -> None:
        assert shutil.which("turnserver") is not None, "coturn is missing: apt install coturn"
        coturn = SERVICES["coturn"]
        self.home, self.port, self.tls_port = home, free_port(), free_port()
        self.written = home / "tmp" / "turnserver.conf"
        self.written.parent.mkdir()
        self.written.parent.chmod(0o1777)
        places = dict(volume.split(":")[1::-1] for volume in coturn["volumes"])
        assert places["/caddy"] == "caddy"
        shell, inside = coturn["entrypoint"]
        text = (DEPLOY / places[inside]).read_text()
        conf = "/etc/coturn/turnserver.conf"
        for there, here in (
            ("/tmp/", f"{home}/tmp/"), (conf, str(DEPLOY / places[conf])), ("sleep 10", "sleep 0.05"),
            ("/caddy/caddy", f"{home}/caddy"), ("=5349", f"={self.tls_port}"),
        ):  # fmt: skip
            assert there in text
            text = text.replace(there, here)
        script = home / "script"
        script.write_text(text)
        own = [f"--listening-ip={HOST}", f"--listening-port={self.port}", f"--relay-ip={HOST}"]
        self.process = subprocess.Popen(
            [shell, str(script), *own], env=os.environ | coturn["environment"] | more
        )

    def certify(self) -> bytes:
        """A new certificate, as Caddy stores it: root alone may read it. Its binary form."""
        subprocess.run(SIGN.split(), cwd=self.home, check=True, capture_output=True)
        place = self.home / "caddy/certificates/acme-v02.api.letsencrypt.org-directory" / VALUES["DOMAIN"]
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.mkdir(mode=0o700, exist_ok=True)
        for kind in ("crt", "key"):
            (self.home / kind).chmod(0o600)
            (self.home / kind).rename(place / f"{VALUES['DOMAIN']}.{kind}")
        return ssl.PEM_cert_to_DER_cert((place / f"{VALUES['DOMAIN']}.crt").read_text())

    def served(self) -> bytes | None:
        """The certificate that a client gets, in binary form."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with (
                socket.create_connection((HOST, self.tls_port)) as plain,
                context.wrap_socket(plain) as secure,
            ):
                return secure.getpeercert(binary_form=True)
        except OSError:
            return None

    def is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0

    def coturn(self) -> psutil.Process:
        """The child of the script that is no `sleep`."""
        (found,) = (one for one in psutil.Process(self.process.pid).children() if one.name() == "turnserver")
        return found


@pytest.fixture
def service() -> Iterator[Service]:
    # Not in pytest's own directory, which other users could not enter.
    with tempfile.TemporaryDirectory(prefix="napalmsky-test-") as home:
        Path(home).chmod(0o755)
        made = Service(Path(home), PUBLIC_IP=ADDRESS)
        yield made
        made.process.terminate()
        assert made.process.wait(60) == 0


async def test_it_starts_without_a_certificate_and_takes_the_first_and_the_next(service: Service) -> None:
    await until(service.is_listening)
    lines = service.written.read_text().splitlines()
    assert f"static-auth-secret={VALUES['TURN_SECRET']}" in lines
    assert [line for line in lines if line.startswith("realm=")] == [f"realm={VALUES['DOMAIN']}"]
    assert "no-tls" in lines
    assert f"external-ip={ADDRESS}" in lines
    assert service.written.stat().st_mode & 0o077 == 0
    first = service.certify()
    await until(lambda: service.served() == first)
    coturn = service.coturn()
    assert coturn.uids().real == 65534
    assert VALUES["TURN_SECRET"] not in f"{coturn.environ()} {coturn.cmdline()}"
    second = service.certify()
    await until(lambda: service.served() == second)
    # Relayed calls go on: it is still the same process.
    assert service.coturn() == coturn
