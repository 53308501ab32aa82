"""Figures of the bench that do not depend on the machine's load, with loose limits. See `make bench`."""

from __future__ import annotations

import pytest
import uvloop

from bench.benchmarks.idle import Plan, run_idle

# The promise is twenty; measured were 7 and 8.
MOST_KB = 15
pytestmark = pytest.mark.prove


def test_an_idle_socket_takes_little_memory() -> None:
    found = uvloop.run(run_idle(Plan(sockets=1000, quiet_seconds=1.0, with_socketio=False)))
    assert found.joined_kb < MOST_KB
    assert found.with_page_kb < MOST_KB
