"""deploy/compose.yaml: its settings exist, its files exist, and its commands start."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import yaml

from models.processes.embedded import Embedded
from models.processes.embedded_servers import Postgres, valkey_binary
from models.settings.environment import read_config
from models.settings.names import NAMES
from tests.conftest import ROOT
from tests.models.backups.conftest import data, run
from tests.turn.coturn import free_port

__all__ = ["data"]  # A fixture.
DEPLOY = ROOT / "deploy"
VALUES = {"DOMAIN": "meet.example.org", "SECRET_KEY": "k" * 32, "TURN_SECRET": "t" * 32}


def filled(text: str, values: dict[str, str]) -> str:
    """As Compose fills it: `${NAME}`, `${NAME:-default}`, `${NAME:?message}`."""
    return re.sub(r"\$\{(\w+)(?::([-?])([^}]*))?\}", lambda found: values.get(found[1]) or found[3], text)


COMPOSE: dict[str, Any] = yaml.safe_load(filled((DEPLOY / "compose.yaml").read_text(), VALUES))
SERVICES: dict[str, Any] = COMPOSE["services"]


def example() -> dict[str, str]:
    """The settings in .env.example."""
    return dict(re.findall(r"^(\w+)=(.*)$", (DEPLOY / ".env.example").read_text(), re.M))


def test_the_site_starts_with_these_settings_and_three_values() -> None:
    """Without anything else that the operator would have to know."""
    environment = SERVICES["site"]["environment"]
    assert set(environment) <= NAMES
    assert all(isinstance(value, str) for value in environment.values())
    config = read_config(example() | VALUES | environment)
    assert config.turn_urls[0] == "turn:meet.example.org:3478"
    assert config.stun_urls == ("stun:meet.example.org:3478",)


def test_three_values_are_asked_for() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    assert set(re.findall(r"\$\{(\w+)\:\?", text)) == set(VALUES)
    assert set(example()) - set(VALUES) == {"ALLOW_TEST_CHECKOUT"}


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


def test_no_secret_is_on_a_command_line() -> None:
    for name, service in SERVICES.items():
        words = str([service.get("entrypoint"), service.get("command")])
        assert not [name for value in VALUES.values() if value in words], name


def test_valkey_starts_with_this_command(tmp_path: Path) -> None:
    command, port = SERVICES["valkey"]["command"], free_port()
    places = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
    assert starts([str(valkey_binary()), *command[1:], *places], tmp_path, port)


class ComposedPostgres(Postgres):
    """The built-in PostgreSQL with the options of the service."""

    def command(self) -> list[str]:
        return [*super().command(), *SERVICES["postgresql"]["command"][1:]]


def test_postgresql_starts_with_this_command_and_takes_no_network(data: Path) -> None:
    others = [ComposedPostgres]
    with Embedded.start(data, postgres=False, redis=False, durable=False, others=others) as embedded:
        shown = run(embedded.database_url, "show listen_addresses")
        most = run(embedded.database_url, "show max_connections")
    assert (shown, most) == ([("",)], [("200",)])
    site = SERVICES["site"]
    config = read_config(site["environment"] | {"ALLOW_TEST_CHECKOUT": "true"})
    assert config.database_connections * site["deploy"]["replicas"] < 150
    assert (
        f"@/{SERVICES['postgresql']['environment']['POSTGRES_USER']}?" in site["environment"]["DATABASE_URL"]
    )


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
