"""The process of the robots: it gets no secret, is started again after a crash, and ends with the site."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from models.processes import robots_process
from models.processes.robots_process import ProbeFailed, run_probe
from tests.support.scenes import until

# Nothing listens there: the partner tries again and again.
PLAN = {
    "url": "http://127.0.0.1:9",
    "robots": [{"token": "t", "name": "Mira", "gender": "female", "seed": 0, "rings": False}],
}
ENVIRONMENT = {"PATH": os.environ["PATH"], "STRIPE_SECRET_KEY": "sk_live_secret", "DATABASE_URL": "x"}


def robots() -> list[psutil.Process]:
    """The child processes that play robots."""
    found = []
    for child in psutil.Process().children():
        try:
            if child.cmdline()[-2:] == ["-m", "robots"] and child.status() != psutil.STATUS_ZOMBIE:
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


async def test_it_gets_no_secret_and_ends_with_the_block() -> None:
    with robots_process.robots_process(PLAN, ENVIRONMENT):
        await until(robots)
        (child,) = robots()
        assert set(child.environ()) <= {*robots_process.HANDED_DOWN, "LC_CTYPE"}
    assert not child.is_running()


async def test_after_a_crash_it_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robots_process, "PAUSE_SECONDS", 0.01)
    with robots_process.robots_process(PLAN, ENVIRONMENT):
        await until(robots)
        (first,) = robots()
        first.kill()
        await until(lambda: [one for one in robots() if one.pid != first.pid])
    assert robots() == []


async def test_it_ends_when_its_parent_has_died(tmp_path: Path) -> None:
    """Its standard input closes, however the parent ends."""
    child = robots_process.start(ENVIRONMENT)
    assert child.stdin is not None
    child.stdin.write(b'{"url": "http://127.0.0.1:9", "robots": []}\n')
    child.stdin.close()
    await until(lambda: child.poll() is not None)
    assert child.returncode == 0


async def test_a_call_without_a_result_is_a_failure() -> None:
    with pytest.raises(ProbeFailed):
        await run_probe({"url": "http://127.0.0.1:9"}, ENVIRONMENT)
    assert robots() == []
