"""A real coturn on loopback, with the settings file that we ship, changed only where it must be.

What is each machine's own (addresses, port, secret) is given as arguments. `lines` are added to the file: the
tests that need peers on loopback add exactly one.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from tests.conftest import ROOT
from tests.turn.stun import TurnClient

SHIPPED = ROOT / "deploy" / "coturn" / "turnserver.conf"
SECRET = "the-secret-of-coturn-on-loopback"
# What the tests add, and no operator should.
LOOPBACK = "allow-loopback-peers"
START_SECONDS = 10.0
SIGN = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
    "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem"
)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind(("::1", 0))
    except OSError:
        return False
    return True


RELAYS = ["127.0.0.1", "::1"] if has_ipv6() else ["127.0.0.1"]


class Tls:
    """`options` for TLS on 127.0.0.1:`port`, with a self-signed certificate."""

    def __init__(self, home: Path, port: int = 0) -> None:
        self.port = port or free_port()
        subprocess.run(SIGN.split(), cwd=home, check=True, capture_output=True)
        key, certificate = home / "key.pem", home / "cert.pem"
        self.options = (
            "--tls-listening-port", str(self.port), "--cert", str(certificate), "--pkey", str(key),
        )  # fmt: skip


class Coturn:
    """`with Coturn(tmp_path) as coturn:` serves UDP and TCP on 127.0.0.1:`coturn.port`; and TLS, if given."""

    def __init__(
        self, home: Path, *lines: str, options: tuple[str, ...] = (), port: int = 0, secret: str = SECRET,
        tls: Tls | None = None,
    ) -> None:  # fmt: skip
        self.port, self._tls = port or free_port(), tls
        options += tls.options if tls else ()
        self._file = home / f"turnserver-{self.port}.conf"
        self._file.write_text("\n".join([SHIPPED.read_text(), *lines, ""]))
        self._home, self._options, self._secret = home, options, secret
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def urls(self) -> list[str]:
        return [f"turn:127.0.0.1:{self.port}", f"turn:127.0.0.1:{self.port}?transport=tcp"]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns once it answers."""
        program = shutil.which("turnserver")
        assert program is not None, "coturn is missing: apt install coturn"
        arguments = [
            program, "-c", str(self._file), "--static-auth-secret", self._secret, "--listening-ip=127.0.0.1",
            *(f"--relay-ip={one}" for one in RELAYS), "--listening-port", str(self.port), *self._options,
        ]  # fmt: skip
        with (self._home / "coturn.log").open("ab") as log:
            self._process = subprocess.Popen(arguments, cwd=self._home, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, (self._home / "coturn.log").read_text()
            assert time.monotonic() < deadline, "coturn does not answer"
            time.sleep(0.02)

    def _answers(self) -> bool:
        has_tcp = "--no-tcp" not in self._options
        try:
            with TurnClient.open(self.port, is_tcp=has_tcp, tls_port=self._tls and self._tls.port) as client:
                client.sock.settimeout(0.5)
                client.bind()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None


def free_port() -> int:
    """Free for UDP and for TCP, and so is the one above it, which coturn may take as well."""
    while True:
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
