"""deploy/compose.yaml: its settings exist, its files exist, and its commands start."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import yaml

from models.processes.embedded_servers import valkey_binary
from models.settings.environment import read_config
from models.settings.names import NAMES
from tests.conftest import ROOT
from tests.turn.coturn import free_port

DEPLOY = ROOT / "deploy"
VALUES = {"DOMAIN": "meet.example.org", "SECRET_KEY": "k" * 32, "TURN_SECRET": "t" * 32}


def filled(text: str, values: dict[str, str]) -> str:
    """As Compose fills it: `${NAME}`, `${NAME:-default}`, `${NAME:?message}`."""
    return re.sub(r"\$\{(\w+)(?::([-?])([^}]*))?\}", lambda found: values.get(found[1]) or found[3], text)


COMPOSE: dict[str, Any] = yaml.safe_load(filled((DEPLOY / "compose.yaml").read_text(), VALUES))
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_the_site_starts_with_these_settings_and_three_values() -> None:
    environment = SERVICES["site"]["environment"]
    assert set(environment) <= NAMES
    assert all(isinstance(value, str) for value in environment.values())
    config = read_config(environment | {"ALLOW_TEST_CHECKOUT": "true"})
    assert config.turn_urls[0] == "turn:meet.example.org:3478"
    assert config.stun_urls == ("stun:meet.example.org:3478",)


def test_three_values_are_asked_for() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    assert set(re.findall(r"\$\{(\w+)\:\?", text)) == set(VALUES)
    example = (DEPLOY / ".env.example").read_text()
    assert set(re.findall(r"^(\w+)=", example, re.M)) == set(VALUES)


def test_backups_are_made_where_the_site_may_write() -> None:
    """A new volume belongs to root; /data belongs to the account of the image."""
    site = SERVICES["site"]
    assert site["environment"]["BACKUP_DIR"].startswith("/data/")
    assert "data:/data" in site["volumes"]


def test_every_part_is_there() -> None:
    assert set(SERVICES) == {"site", "caddy", "postgresql", "valkey", "coturn"}
    volumes = [one for service in SERVICES.values() for one in service.get("volumes", ())]
    for volume in volumes:
        source = volume.split(":")[0]
        assert (DEPLOY / source).is_file() if source.startswith(".") else source in COMPOSE["volumes"], volume
    assert {name for service in SERVICES.values() for name in service.get("depends_on", ())} <= set(SERVICES)


def test_the_sites_proxy_is_in_the_network_that_is_trusted() -> None:
    (network,) = COMPOSE["networks"]["default"]["ipam"]["config"]
    assert SERVICES["site"]["environment"]["TRUSTED_PROXIES"] == network["subnet"]


def test_coturn_starts_with_this_command(tmp_path: Path) -> None:
    coturn, port = SERVICES["coturn"], free_port()
    assert shutil.which("turnserver") is not None, "coturn is missing: apt install coturn"
    (volume,), (script,) = coturn["volumes"], coturn["command"]
    source, target, _ = volume.split(":")
    written = tmp_path / "turnserver.conf"
    script = script.replace(target, str(DEPLOY / source)).replace("/tmp/turnserver.conf", str(written))
    places = f" --listening-ip=127.0.0.1 --listening-port={port} --relay-ip=127.0.0.1"
    command = [*coturn["entrypoint"], script.replace("$$", "$").rstrip() + places]
    assert starts(command, tmp_path, port, coturn["environment"])
    lines = written.read_text().splitlines()
    assert f"static-auth-secret={VALUES['TURN_SECRET']}" in lines
    assert [line for line in lines if line.startswith("realm=")] == [f"realm={VALUES['DOMAIN']}"]
    assert written.stat().st_mode & 0o077 == 0


def test_no_secret_is_on_a_command_line() -> None:
    for name, service in SERVICES.items():
        words = str([service.get("entrypoint"), service.get("command")])
        assert not [name for value in VALUES.values() if value in words], name


def test_valkey_starts_with_this_command(tmp_path: Path) -> None:
    command, port = SERVICES["valkey"]["command"], free_port()
    places = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
    assert starts([str(valkey_binary()), *command[1:], *places], tmp_path, port)


def starts(command: list[str], home: Path, port: int, environment: dict[str, str] | None = None) -> bool:
    """Whether it listens on the port, before it exits."""
    given, out = os.environ | (environment or {}), subprocess.PIPE
    with subprocess.Popen(command, cwd=home, env=given, stdout=out, stderr=subprocess.STDOUT) as process:
        try:
            while process.poll() is None:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        return True
                time.sleep(0.01)
            assert process.stdout
            raise AssertionError(process.stdout.read().decode())
        finally:
            process.terminate()
