"""TURN=auto: a coturn that does not start is left out, and the site runs without it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from models.processes import embedded
from models.processes.embedded import Embedded, EmbeddedError
from models.processes.own_servers import OwnServers, own_servers
from models.settings.config import Config
from tests.turn.coturn import free_port

# The first exits at once; the second runs, and answers no STUN request.
FAULTS = {"exits": "exit 1", "is silent": "exec sleep 60"}


@pytest.fixture(params=FAULTS)
def broken_coturn(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "turnserver"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{FAULTS[request.param]}\n")
    program.chmod(0o755)
    tmp_path.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setattr(embedded, "OPTIONAL_SECONDS", 0.3)
    monkeypatch.setattr(embedded, "START_SECONDS", 0.3)


def start(place: Path, turn: str) -> tuple[Embedded, OwnServers]:
    own = own_servers(Config(turn=turn, turn_port=free_port()), None)
    assert len(own.makers) == 1
    return Embedded.start(place / "data", postgres=False, redis=False, others=own.makers), own


@pytest.mark.usefixtures("broken_coturn")
def test_with_auto_the_site_runs_without_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        running, own = start(tmp_path, "auto")
    with running:
        assert running.pids == {}
    assert (own.settings, own.site) == ({}, own.config)
    (record,) = [one for one in caplog.records if "runs without coturn" in one.message]
    assert record.__dict__["setting"] == "TURN"


@pytest.mark.usefixtures("broken_coturn")
def test_with_embedded_it_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="coturn did not start"):
        start(tmp_path, "embedded")
