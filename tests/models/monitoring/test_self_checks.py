"""Each fault of the surroundings is found by its name, and a healthy site has none."""

from __future__ import annotations

import os
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from models.backups import schedule
from models.monitoring import self_checks
from models.monitoring.self_checks import SelfChecks
from models.settings.config import Config
from models.wiring import Models
from tests.conftest import MakeSite, Running
from tests.support.servers import Servers
from tests.turn.coturn import SECRET, Coturn, free_port


def checks_of(models: Models, **changes: object) -> SelfChecks:
    config: Config = replace(models.config, **changes)  # type: ignore[arg-type]
    return SelfChecks(config, models.db, models.bus, models.clock)


async def test_a_healthy_site_has_no_fault(make_site: MakeSite) -> None:
    one, _other = await make_site(), await make_site()
    checks = checks_of(one.models)
    assert [await checks.faults(), await checks.faults()] == [[], []]


async def test_turn(models: Models, tmp_path: Path) -> None:
    dead = f"turn:127.0.0.1:{free_port()}"
    assert await checks_of(models, turn_urls=(dead,), turn_secret=SECRET).faults() == ["turn_silent"]
    with Coturn(tmp_path) as coturn:
        urls = tuple(coturn.urls)
        assert await checks_of(models, turn_urls=urls, turn_secret=SECRET).faults() == []
        wrong = checks_of(models, turn_urls=urls, turn_secret="not that of this coturn")
        assert await wrong.faults() == ["turn_refused"]


async def test_a_coturn_of_our_own_is_asked_on_this_machine(models: Models, tmp_path: Path) -> None:
    with Coturn(tmp_path) as coturn:
        urls = (f"turn:no.such.name.invalid:{coturn.port}",)
        own = {"turn_urls": urls, "turn_secret": SECRET, "base_url": "https://no.such.name.invalid"}
        assert await checks_of(models, **own).faults() == []


async def test_certificate(models: Models) -> None:
    own = {"tls": "internal", "base_url": "https://localhost", "https_port": free_port()}
    assert await checks_of(models, **own).faults() == ["certificate"]


async def test_redis_memory(models: Models, servers: Servers) -> None:
    checks = checks_of(models)
    with redis.Redis.from_url(servers.redis_url) as client:
        used = client.info("memory")["used_memory"]
        try:
            client.config_set("maxmemory", int(used * 1.05))
            assert await checks.faults() == ["redis_memory"]
        finally:
            client.config_set("maxmemory", 0)
    assert await checks.faults() == []


async def test_processes_with_another_redis(site: Running) -> None:
    """Found at the second look: a process that has just started is not here yet."""
    checks = checks_of(site.models)
    await site.models.bus.command("zrem", "ns:processes", site.models.bus.process_id)
    assert [await checks.faults(), await checks.faults()] == [[], ["redis_shared"]]


async def test_another_site_in_the_same_redis(site: Running) -> None:
    """Two sites of two databases: each finds the other's process at the second look."""
    checks = checks_of(site.models)
    await site.models.bus.command("zadd", "ns:processes", 1e15, "of-another-site")
    try:
        assert [await checks.faults(), await checks.faults()] == [[], ["redis_foreign"]]
    finally:
        await site.models.bus.command("zrem", "ns:processes", "of-another-site")


async def test_disk(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    free = namedtuple("Usage", "free")
    monkeypatch.setattr(self_checks.shutil, "disk_usage", lambda place: free(100 * 1024 * 1024))
    assert await checks_of(models).faults() == ["disk_space"]


async def test_backup(models: Models, tmp_path: Path) -> None:
    checks = checks_of(models, backup_dir=tmp_path)
    assert await checks.faults() == []
    old = schedule.new_file(tmp_path)
    old.touch()
    os.utime(old, (0, 0))
    assert await checks.faults() == ["backup"]


async def test_a_fault_that_persists_is_shown(site: Running) -> None:
    for _ in range(3):
        for name in ("turn_silent", "redis_shared"):
            site.site.misconfigurations.note(name)
    answer = await site.client.get("/readyz")
    assert answer.status == 200
    assert set(answer.json["warnings"]) == {"turn_silent", "redis_shared"}
