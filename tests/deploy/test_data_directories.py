"""The real program on its built-in servers: loss of the data directory, and one of an older PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tornado.testing import bind_unused_port

from models.postgres.migrations import migrate
from tests.conftest import ROOT
from tests.models.backups.conftest import ROWS, cluster, run

pytestmark = pytest.mark.prove


class Program:
    """`server.py` with a data directory of its own."""

    def __init__(self, place: Path) -> None:
        self.data = place / "data"
        socket, self.port = bind_unused_port()
        socket.close()
        self.environment = {
            "PATH": os.environ["PATH"], "DATA_DIR": str(self.data), "PORT": str(self.port), "TURN": "off",
        }  # fmt: skip

    @contextmanager
    def serving(self) -> Iterator[None]:
        process = subprocess.Popen(
            [sys.executable, "server.py"], cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        try:
            assert "is up" in process.stdout.readline()
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(90) == 0
            process.stdout.close()

    def command(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "server.py", *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True)

    def ask(self, path: str, token: str = "", **fields: object) -> dict[str, object]:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        body = json.dumps(fields).encode() if fields else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: dict[str, object] = json.load(answer)
            return found


@pytest.fixture
def program() -> Iterator[Program]:
    # Not pytest's own directory: the account of PostgreSQL could not enter it.
    with tempfile.TemporaryDirectory(prefix="napalmsky-test-") as place:
        yield Program(Path(place))


def test_a_lost_data_directory_is_restored(program: Program, tmp_path: Path) -> None:
    with program.serving():
        anna = program.ask("/auth/guest", name="Anna", gender="female", adult=True)
        done = program.command("backup", tmp_path / "backup", "--verify")
        assert done.returncode == 0, done.stderr
    program.data.rename(program.data.with_name("lost"))
    with program.serving():
        ben = program.ask("/auth/guest", name="Ben", gender="male", adult=True)
        done = program.command("restore", tmp_path / "backup")
        assert done.returncode == 1
        assert program.ask("/user/me", str(ben["sessionToken"]))["name"] == "Ben"
        done = program.command("restore", tmp_path / "backup", "--replace")
        assert done.returncode == 0, done.stderr
        assert program.ask("/user/me", str(anna["sessionToken"]))["name"] == "Anna"
        assert program.ask("/readyz")["status"] == "ok"
    with program.serving():
        assert program.ask("/user/me", str(anna["sessionToken"]))["userId"] == anna["userId"]


def test_a_start_upgrades_the_data_of_an_older_postgresql(program: Program) -> None:
    with cluster(program.data, 16) as url:
        migrate(url)
        run(url, ROWS)
    with program.serving():
        assert program.ask("/readyz")["status"] == "ok"
    assert (program.data / "postgres.16").is_dir()
    done = program.command("backup", program.data / "backup")
    assert done.returncode == 0
    assert "users, 200 rows" in done.stderr
