"""The image, built step by step from its Dockerfile in a Debian system, and run as platforms run it."""

from __future__ import annotations

import os
import signal
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deploy.outage_scene import ExternalServers, check_outage
from tests.deploy.shipped_proxies import PublicPorts
from tests.journeys.server_process import SETTINGS, faults_in
from tests.support.image.debian_system import DebianSystem
from tests.support.image.dockerfile import environment, ours
from tests.turn.coturn import free_port

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can build a system in a directory"),
]
STEPS = ours()
SECONDS = 90


@pytest.fixture(scope="module")
def system() -> Iterator[DebianSystem]:
    with tempfile.TemporaryDirectory(prefix="napalmsky-image-") as place:
        root = Path(place) / "root"
        built = DebianSystem.install(root)
        built.build(STEPS)
        Path(place).chmod(0o755)
        yield built


def answer(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=2) as found:
            return int(found.status)
    except OSError:
        return 0


@contextmanager
def started(system: DebianSystem, user: str, port: int, log: Path, **settings: str) -> Iterator[None]:
    """`docker run --read-only --user …`: only the volume can be written. Ready; it stops with code 0."""
    data = system.inside("/data") / f"{user.replace(':', '-')}-{port}"
    # A new volume takes owner and mode from the directory of the image.
    data.mkdir()
    made = system.inside("/data").stat()
    os.chown(data, made.st_uid, made.st_gid)
    data.chmod(made.st_mode)
    place = f"/data/{data.name}"
    own = {"PORT": str(port), "DATA_DIR": place, "TURN": "off"}
    command = next(one for one in STEPS if one.name == "ENTRYPOINT").words
    process = system.start(command, environment(STEPS) | own | settings, log, user=user, writable=place)
    try:
        until = time.monotonic() + SECONDS
        while answer(f"http://127.0.0.1:{port}/readyz") != 200:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(90)
    assert code == 0, log.read_text()


@pytest.mark.parametrize("user", ["10001:10001", "12345:0"])
def test_it_serves_on_a_read_only_root_as_any_user(system: DebianSystem, user: str, tmp_path: Path) -> None:
    port = free_port()
    with started(system, user, port, tmp_path / "log"):
        assert answer(f"http://[::1]:{port}/healthz") == 200


@pytest.fixture(scope="module")
def external_servers() -> Iterator[ExternalServers]:
    with (
        tempfile.TemporaryDirectory(prefix="napalmsky-external-") as home,
        ExternalServers(Path(home)) as both,
    ):
        yield both


@pytest.mark.parametrize("server", ["postgres", "redis"])
async def test_it_recovers_from_an_outage_of_an_external_server(
    system: DebianSystem, external_servers: ExternalServers, server: str, tmp_path: Path
) -> None:
    """Through the image's own Caddy, whose certificate no authority signed."""
    ports, log = PublicPorts(), tmp_path / "log"
    url = f"https://localhost:{ports.https}"
    public = {
        "TLS": "internal",
        "HTTP_PORT": str(ports.http),
        "HTTPS_PORT": str(ports.https),
        "BASE_URL": url,
    }
    settings = SETTINGS | public | external_servers.settings
    with started(system, "10001:10001", free_port(), log, **settings):
        await check_outage(url, external_servers, server, "silent")
    assert faults_in(log) == []


def test_it_contains_its_licence_its_version_and_byte_code(system: DebianSystem) -> None:
    app = system.inside("/app")
    assert "MIT" in (app / "LICENSE").read_text()
    assert (app / "VERSION").read_text().strip()
    for name in ("server", "models/wiring", "handlers/routes"):
        file = app / name
        assert list((file.parent / "__pycache__").glob(f"{file.name}.*.pyc")), name
    assert not (app / "tests").exists()
    assert oct(system.inside("/data").stat().st_mode & 0o777) == "0o775"
    assert system.inside("/data").stat().st_gid == 0


def test_a_long_data_directory_without_a_temporary_one_names_both(
    system: DebianSystem, tmp_path: Path
) -> None:
    place = "/data/" + "deep-" * 20
    system.inside(place).mkdir(mode=0o777)
    system.inside(place).chmod(0o777)
    log = tmp_path / "log"
    settings = environment(STEPS) | {"DATA_DIR": place, "TURN": "off"}
    process = system.start(["python", "server.py"], settings, log, user="12345:0", writable=place)
    assert process.wait(60) == 2
    assert "Set DATA_DIR or TMPDIR" in log.read_text()
