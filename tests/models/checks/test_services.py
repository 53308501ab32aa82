"""Both services at once: an address where nothing is, and the time that a check takes."""

from __future__ import annotations

import socket
import time

import pytest

from models.checks.services import check_services
from tests.models.checks.conftest import refused
from tests.support.pace import within


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        ("postgresql://u@127.0.0.1:1/d", "cannot be reached"),
        ("postgresql://u@/d?host=/nowhere", "cannot be reached"),
        ("postgresql://u@no.such.name.invalid/d", "cannot be found by name"),
        ("service=nowhere", "libpq cannot use one of its parts"),
        ("redis://127.0.0.1:1", "cannot be reached"),
        ("unix:///nowhere/redis.sock", "cannot be reached"),
        ("redis://no.such.name.invalid", "cannot be found by name"),
    ],
)
def test_no_server_at_the_address(address: str, cause: str) -> None:
    is_redis = address.startswith(("redis", "unix"))
    found = check_services(None, address) if is_redis else check_services(address, None)
    assert cause in refused(found)


def test_a_silent_server_takes_five_seconds_at_most() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        began = time.monotonic()
        found = check_services(
            f"postgresql://u@127.0.0.1:{port}/d?connect_timeout=60", f"redis://127.0.0.1:{port}"
        )
        assert time.monotonic() - began < within(5.5)
    assert [text.partition(":")[0] for text in found.refused] == ["DATABASE_URL", "REDIS_URL"]
