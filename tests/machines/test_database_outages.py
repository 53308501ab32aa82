"""PostgreSQL over TCP, under traffic: refused, reset, silent, unreachable, restarted, all sessions ended.

Pages answer within three seconds, with 503 and never 500; everything works again within five seconds.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machines.faults.fault_proxy import Fault
from tests.machines.faults.outages import Outages, Scene
from tests.support.scenes import until

SECONDS = (0.5, 3.0, 10.0)
KINDS: tuple[Fault, ...] = ("refused", "reset", "silent", "unreachable")
SHORT = {("refused", 3.0), ("reset", 0.5), ("silent", 3.0)}
END_ALL = (
    "select pg_terminate_backend(pid) from pg_stat_activity "
    "where pid <> pg_backend_pid() and backend_type = 'client backend'"
)


@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.prove)], ids=["alone", "two"])
def site(request: pytest.FixtureRequest) -> Iterator[Outages]:
    with tempfile.TemporaryDirectory(prefix="napalmsky-outages-") as home:
        outages = Outages(Path(home), request.param)
        outages.start()
        yield outages
        outages.stop()


CASES = [
    pytest.param(kind, seconds, marks=[] if (kind, seconds) in SHORT else [pytest.mark.prove])
    for kind in KINDS
    for seconds in SECONDS
]


@pytest.mark.parametrize(("kind", "seconds"), CASES)
async def test_an_outage_under_traffic(site: Outages, kind: Fault, seconds: float) -> None:
    scene = await Scene.begin(site)
    before = len(site.server.faults)
    site.hurry(scene.calls[1], left_ms=round(seconds * 500))
    async with scene.traffic.flowing():
        await until(lambda: len(scene.traffic.answers) > 10)
        began = time.monotonic()
        with site.proxy.fault(kind):
            await until(lambda: time.monotonic() > began + seconds, seconds + 1)
        healed_at = time.monotonic()
        await scene.check(healed_at)
    check_answers(scene)
    assert site.server.faults[before:] == []
    await scene.leave()


def check_answers(scene: Scene) -> None:
    """The outage was visible, and reported quickly."""
    traffic = scene.traffic
    felt = [status for at, _, status, seconds in traffic.answers if status == 503 or seconds > 0.4]
    assert felt, "the fault did not bite"
    traffic.check()


@pytest.mark.parametrize("how", ["terminated", pytest.param("restarted", marks=pytest.mark.prove)])
async def test_a_server_that_ends_every_session(site: Outages, how: str) -> None:
    scene = await Scene.begin(site)
    before = len(site.server.faults)
    site.hurry(scene.calls[1], left_ms=300)
    async with scene.traffic.flowing():
        await until(lambda: len(scene.traffic.answers) > 10)
        began = time.monotonic()
        if how == "terminated":
            assert len(site.pair.rows(END_ALL)) > 1
        else:
            await asyncio.to_thread(site.pair.postgres.stop)
            await asyncio.to_thread(site.pair.postgres.start)
        await scene.check(time.monotonic())
    scene.traffic.check()
    if how == "terminated":
        # Pages only read, and statements that only read are repeated.
        assert set(scene.traffic.statuses(began)) == {200}
    assert site.server.faults[before:] == []
    await scene.leave()
