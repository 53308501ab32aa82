"""The journeys' browsers, on a server where the same two may call each other again at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.conftest import flags, free_port, house, stage
from tests.journeys.server_process import ServerProcess

__all__ = ["flags", "house", "server", "stage"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("webrtc"), free_port(), COOLDOWN_CONNECTED_SECONDS="0")
    process.start()
    yield process
    process.stop()
