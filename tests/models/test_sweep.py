"""The sweep: one failing part never stops the others, nor the next round."""

from __future__ import annotations

import asyncio
import logging

import pytest

from models import sweep as module
from models.errors import Unavailable
from tests.conftest import MakeSite, Running
from tests.support.factories import older
from tests.support.scenes import rows, silent, until


async def processes(site: Running) -> list[str]:
    return [row[0] for row in await rows(site.models, "select process_id from processes order by 1")]


async def test_every_process_beats_and_says_goodbye(make_site: MakeSite, site: Running) -> None:
    far = await make_site()
    ids = sorted([site.models.bus.process_id, far.models.bus.process_id])
    assert await processes(site) == ids
    await far.models.sweep.stop()
    assert await processes(site) == [site.models.bus.process_id]
    assert await site.models.bus.command("zcard", "ns:processes") == 1


async def test_a_silent_process_is_buried_after_six_seconds(make_site: MakeSite, site: Running) -> None:
    far = await make_site()
    await silent(site.models, far.models.bus.process_id, 5)
    await site.models.sweep.once()
    assert len(await processes(site)) == 2
    await silent(site.models, far.models.bus.process_id, 7)
    await site.models.sweep.once()
    assert await processes(site) == [site.models.bus.process_id]
    # It was only slow: it is one of us again.
    await far.models.sweep.once()
    assert len(await processes(site)) == 2


async def test_after_an_outage_nobody_is_taken_for_dead_at_once(
    make_site: MakeSite, site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As PostgreSQL's processes are found when it comes back: none of them has beaten for a while."""
    await make_site()
    await older(site.models, "processes.seen_at", seconds=7)
    for _ in range(2):
        await site.models.sweep.once()
        assert len(await processes(site)) == 2
    monkeypatch.setattr(module, "DEAD_SECONDS", 0)
    await site.models.sweep.once()
    assert await processes(site) == [site.models.bus.process_id]


@pytest.mark.parametrize("error", [Unavailable(), RuntimeError("a fault of ours")])
async def test_a_failing_round_is_told_and_the_next_one_comes(
    site: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    monkeypatch.setattr(module, "ROUND_SECONDS", 0)
    sweep, heard = site.models.sweep, asyncio.Event()
    tried = 0

    async def fail() -> None:
        nonlocal tried
        tried += 1
        raise error

    async def note() -> None:
        heard.set()

    monkeypatch.setattr(site.models.calls, "sweep", fail)
    monkeypatch.setattr(site.models.outcomes, "sweep", note)
    sweep.start()
    await until(lambda: tried >= 3)
    await heard.wait()
    await sweep.stop()
    levels = {
        record.levelno for record in caplog.records if record.name == "models.concurrency.background_tasks"
    }
    assert levels == {logging.WARNING if isinstance(error, Unavailable) else logging.ERROR}
