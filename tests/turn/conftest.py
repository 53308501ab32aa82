"""The journeys' browsers, on a site that is relay-only and names a coturn on loopback: not running yet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.conftest import house, stage
from tests.journeys.server_process import ServerProcess
from tests.turn.coturn import SECRET, free_port

__all__ = ["house", "server", "stage", "turn_port"]


@pytest.fixture(scope="session")
def turn_port() -> int:
    """Where the site says that coturn is; each test decides what is there."""
    return free_port()


@pytest.fixture(scope="session")
def tls_port() -> int:
    """Where the site says that it answers to TLS."""
    return free_port()


@pytest.fixture(scope="session")
def flags() -> list[str]:
    """That certificate is self-signed."""
    return ["--ignore-certificate-errors"]


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory, turn_port: int, tls_port: int
) -> Iterator[ServerProcess]:
    address = f"turn:127.0.0.1:{turn_port}"
    settings = {
        "TURN_URLS": f"{address},{address}?transport=tcp,turns:127.0.0.1:{tls_port}?transport=tcp",
        "TURN_SECRET": SECRET,
        "RELAY_ONLY": "true",
        "TURN_CHECKS_PER_HOUR": "1000",
    }
    process = ServerProcess(tmp_path_factory.mktemp("turn"), free_port(), **settings)
    process.start()
    yield process
    process.stop()
