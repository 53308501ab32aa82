"""The end of a call is published, and both users are free, even if Redis or the process was down."""

from __future__ import annotations

import pytest

from models.calls.state import HungUp
from models.calls.teardown import CallTeardown
from models.errors import Unavailable
from models.redis import keys
from models.redis.client import Bus
from tests.conftest import MakePerson, MakeSite, Person, Running
from tests.support.scenes import InCall, in_call, rows, until


async def is_busy(site: Running, person: Person) -> bool:
    return await site.models.bus.command("get", keys.busy(person.user_id)) is not None


async def check_ended(site: Running, scene: InCall) -> None:
    for socket in (scene.a, scene.b):
        assert (await socket.receive("call:end"))["reason"] == "hung_up"
        assert await socket.closed() == 1000
        assert "call:end" not in [message["type"] for message in socket.inbox]
    for who in (scene.people.anna, scene.people.ben):
        assert not await is_busy(site, who)


async def test_an_end_is_published_after_its_process_died(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    far = await make_site()
    scene = await in_call(site, person, far)
    await rows(
        site.models,
        "update calls set state = 'ended', ended_at = now(), ended_reason = 'hung_up', connected_ms = 5, "
        "due_at = null, running_since = null, version = version + 1 where call_id = %s",
        scene.call_id,
    )
    await rows(site.models, "delete from live_seats")
    await site.models.sweep.once()
    await far.models.sweep.once()
    await check_ended(site, scene)


async def test_an_end_is_published_again_after_redis_was_down(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    nobody = Bus("redis://127.0.0.1:1/0", "nobody")
    ends: CallTeardown = site.models.calls.ends
    ends._bus, there = nobody, ends._bus
    ends._presence._bus = nobody
    await site.models.calls.apply(scene.call_id, HungUp())
    # The seats here were notified; in Redis, both are still busy.
    assert await scene.a.closed() == await scene.b.closed() == 1000
    assert await is_busy(site, scene.people.anna)
    with pytest.raises(Unavailable):
        await ends.retry()
    ends._bus = ends._presence._bus = there
    await ends.retry()
    assert not await is_busy(site, scene.people.anna)
    assert not await is_busy(site, scene.people.ben)
    await until(lambda: not ends._pending)
    await nobody.close()
