"""TLS=auto: our Caddy, without privileges, gets a certificate from a real ACME server by either challenge."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.processes.caddy import Doors, caddy_binary, settings
from models.settings.environment import read_config
from tests.conftest import ROOT

STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory that an account without privileges may enter."""
    with tempfile.TemporaryDirectory(prefix="napalmsky-test-") as place:
        Path(place).chmod(0o755)
        yield Path(place)


@pytest.mark.prove
@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
def test_a_certificate_is_obtained(home: Path, challenge: str) -> None:
    names = home / "resolv.conf"
    names.write_text("nameserver 127.0.0.1\n")
    script = ROOT / "tests/deploy/acme_scene.py"
    inside = f"mount --bind {names} /etc/resolv.conf && exec {sys.executable} {script} {home} {challenge}"
    command = ["unshare", "--net", "--mount", "sh", "-c", inside]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr + (home / "ours.log").read_text()[-3000:]
    assert done.stdout.split() == ["meet.example.org"]


@pytest.mark.parametrize(
    "environment",
    [
        {"TLS": "auto"},
        {"TLS": "auto", "ACME_DIRECTORY": STAGING},
        {"TLS": "on", "TRUSTED_PROXIES": "10.0.0.0/8,2001:db8::/32"},
        {"TLS": "internal"},
    ],
)
def test_caddy_accepts_the_configuration(
    home: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda name, port: [])  # Both names exist.
    public = {"BASE_URL": "https://meet.example.org", "ALLOW_TEST_CHECKOUT": "true"}
    config = read_config(public | environment)
    file = home / "caddy.json"
    file.write_text(json.dumps(settings(config, Doors((), ()), "127.0.0.1:8080", home)))
    command = [str(caddy_binary()), "validate", "--config", str(file)]
    done = subprocess.run(command, env={"HOME": str(home)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
