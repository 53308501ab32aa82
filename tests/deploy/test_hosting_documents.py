"""The commands of README and docs/hosting.md, as an operator would type them, fit the image and the unit."""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

import pytest

from handlers.commands.checklist import LOOKS
from handlers.commands.cli import COMMANDS
from models.settings.config import Config
from models.settings.environment import read_config
from models.settings.own_servers import runs_caddy, runs_coturn
from tests.conftest import ROOT
from tests.deploy.test_systemd import read
from tests.support.image.dockerfile import environment, ours

DOCUMENTS = ("README.md", "docs/hosting.md")
IMAGE = environment(ours())
WITH_VALUE = {"-p", "-e", "-v", "--name"}


class DockerRun(NamedTuple):
    """`docker run` of a document."""

    ports: set[str]
    settings: dict[str, str]
    volumes: list[str]
    words: list[str]


def text_of(name: str) -> str:
    """With continued lines joined."""
    return re.sub(r"\\\n\s*", " ", (ROOT / name).read_text(encoding="utf-8"))


def docker_runs(text: str) -> list[DockerRun]:
    commands = re.findall(r"docker run ([^`\n]*?napalmsky(?: demo)?)(?=[`)\n])", text)
    return [parsed(shlex.split(command)) for command in commands]


def parsed(words: list[str]) -> DockerRun:
    found: dict[str, list[str]] = {option: [] for option in WITH_VALUE}
    rest = iter(words)
    for word in rest:
        if word in WITH_VALUE:
            found[word].append(next(rest))
        elif not word.startswith("-"):
            assert word == "napalmsky"
            break
    settings = dict(setting.split("=", 1) for setting in found["-e"])
    return DockerRun(set(found["-p"]), settings, found["-v"], list(rest))


RUNS = [(name, run) for name in DOCUMENTS for run in docker_runs(text_of(name))]


def needed_ports(config: Config) -> set[str]:
    """What users of the site reach."""
    if not runs_caddy(config):
        return {str(config.port)}
    turn = {str(config.turn_port), f"{config.turn_port}/udp", str(config.turn_tls_port)}
    turn.add(f"{config.turn_min_port}-{config.turn_max_port}/udp")
    return {str(config.http_port), str(config.https_port)} | (turn if runs_coturn(config) else set())


def test_the_commands_are_found() -> None:
    assert [name for name, run in RUNS if "BASE_URL" in run.settings] == list(DOCUMENTS)
    assert any(run.words == ["demo"] for _, run in RUNS)


@pytest.mark.parametrize(("name", "run"), RUNS)
def test_a_container_starts_with_these_settings_and_is_reached(name: str, run: DockerRun) -> None:
    config = read_config(IMAGE | run.settings)
    assert run.ports == {f"{port.removesuffix('/udp')}:{port}" for port in needed_ports(config)}
    if "demo" not in run.words:
        assert run.volumes == [f"napalmsky:{IMAGE['DATA_DIR']}"]


def test_the_ports_of_the_firewall_are_those_of_the_container_and_of_compose() -> None:
    (run,) = (run for name, run in RUNS if name == "docs/hosting.md" and "BASE_URL" in run.settings)
    (line,) = re.findall(r"open in the firewall: (.*?\))\.", text_of("docs/hosting.md"), re.S)
    told = set(re.findall(r"\d{2,}", line))
    (most,) = re.findall(r"^max-port=(\d+)", text_of("deploy/coturn/turnserver.conf"), re.M)
    assert told == {number for port in run.ports for number in re.findall(r"\d+", port)} | {most}


def test_every_command_of_the_site_exists() -> None:
    for name in DOCUMENTS:
        text = text_of(name)
        words = re.findall(r"(?:server\.py|sudo napalmsky) ([a-z]+)", text)
        assert words
        assert set(words) <= {*COMMANDS, *LOOKS, "check", "migrate", "demo"}, name


def test_the_installation_without_containers_fits_the_unit() -> None:
    text, unit = text_of("docs/hosting.md"), read(ROOT / "deploy/systemd/napalmsky.service")
    block = text.partition("## Without containers")[2].partition("## Platforms")[0]
    for source in re.findall(r"(?:cp|install) (deploy/\S+)", block):
        assert (ROOT / source).is_file(), source
    (account,) = unit["User"]
    assert re.search(rf"useradd .* {account}$", block, re.M)
    assert f"{unit['WorkingDirectory'][0]} &&" in block
    assert f"-o {account} /dev/null {unit['EnvironmentFile'][0]}" in block
    places = dict(pair.split("=") for pair in unit["Environment"][0].split())
    assert f"--home-dir {places['DATA_DIR']} " in block
    assert f"-o {account} {places['BACKUP_DIR']}" in block
    written = re.findall(r"`([A-Z_]+)=([^`]+)`", block.partition("Write into")[2].partition("Then:")[0])
    config = read_config(places | dict(written))
    assert runs_caddy(config)
    assert runs_coturn(config)
    assert "ALLOW_TEST_CHECKOUT" in dict(written)
    behind = re.search(r"With a proxy of your own, take `TLS=off`, `TRUSTED_PROXIES=([^`]+)`", block)
    assert behind
    own = {"TLS": "off", "TRUSTED_PROXIES": behind[1]}
    assert not runs_caddy(read_config(places | dict(written) | own))
