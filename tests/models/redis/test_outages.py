"""Events across an outage of Redis: a reload of every process replaces what was not delivered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from models.errors import Unavailable
from models.redis import keys, pipeline
from models.redis.client import Bus
from tests.machines.faults.fault_proxy import FAULTS, Fault
from tests.support.faults.redis_faults import FaultyRedis, bus_at
from tests.support.pace import within
from tests.support.scenes import until

# How long an outage must last for the sender to give up.
GIVES_UP_SECONDS = pipeline.ANSWER_SECONDS + 0.3
# A connection that receives nothing is replaced within this time.
NOTICED_SECONDS = 4.0


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[FaultyRedis]:
    with FaultyRedis.running(tmp_path / "data") as running:
        yield running


class Heard:
    """A process that subscribes to everyone's channel and to one of its own."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.news: list[bytes] = []
        self.reloads = 0
        self.reconnects = 0

    async def open(self) -> None:
        self.bus.subscriber.on_reconnect = self._reconnected
        await self.bus.open(keys.CHANNEL_ALL, self._heard_all)
        await self.bus.subscriber.subscribe("ns:a", lambda _channel, news: self.news.append(news))

    def _heard_all(self, _channel: str, news: bytes) -> None:
        assert news == b"reload"
        self.reloads += 1

    def _reconnected(self) -> None:
        self.reconnects += 1

    @property
    def has_reloaded(self) -> bool:
        return self.reloads + self.reconnects > 0


@asynccontextmanager
async def near_and_far(faulty: FaultyRedis, *, far_direct: bool) -> AsyncIterator[tuple[Heard, Heard]]:
    far_url = faulty.direct_url if far_direct else faulty.url
    async with bus_at(faulty.url, "near") as near, bus_at(far_url, "far") as far:
        both = Heard(near), Heard(far)
        for one in both:
            await one.open()
        yield both


async def has_given_up(bus: Bus) -> bool:
    try:
        async with asyncio.timeout(within(GIVES_UP_SECONDS)):
            await bus.command("ping")
    except Unavailable:
        return True
    return False


@pytest.mark.parametrize("fault", FAULTS)
async def test_events_published_in_an_outage_of_the_sender_alone(faulty: FaultyRedis, fault: Fault) -> None:
    async with near_and_far(faulty, far_direct=True) as (near, far):
        with faulty.proxy.fault(fault, lost=True):
            near.bus.publish("ns:a", b"1")
            assert await has_given_up(near.bus)
            assert far.news == []
            assert not far.has_reloaded or fault == "deaf"
        await until(lambda: far.reloads)
        assert far.reconnects == 0
        await until(lambda: near.has_reloaded)
        near.bus.publish("ns:a", b"2")
        await until(lambda: far.news == [b"2"])


async def test_events_published_while_redis_hangs(faulty: FaultyRedis) -> None:
    async with near_and_far(faulty, far_direct=True) as (near, far):
        with faulty.hung():
            near.bus.publish("ns:a", b"1")
            near.bus.publish("ns:a", b"2")
            assert await has_given_up(near.bus)
            assert not far.has_reloaded
        await until(lambda: far.has_reloaded)
        await until(lambda: near.has_reloaded)


async def test_events_queued_behind_unanswered_commands(faulty: FaultyRedis) -> None:
    async with near_and_far(faulty, far_direct=True) as (near, far):
        with faulty.proxy.fault("silent", lost=True):
            asked = asyncio.ensure_future(near.bus.command("ping"))
            await asyncio.sleep(0)
            near.bus.publish("ns:a", b"1")
            with pytest.raises(Unavailable):
                await asked
        await until(lambda: far.reloads)


async def test_events_on_a_connection_that_is_reset_unanswered(faulty: FaultyRedis) -> None:
    async with near_and_far(faulty, far_direct=True) as (near, far):
        faulty.proxy.hold_answers()
        near.bus.publish("ns:a", b"1")
        await until(lambda: far.news == [b"1"])
        faulty.proxy.cut()
        # It has arrived, but the sender cannot know that.
        await until(lambda: far.reloads)


async def test_events_that_redis_rejects(faulty: FaultyRedis) -> None:
    faulty.say("ACL", "SETUSER", "site", "on", "nopass", "~*", "&*", "+@all", "-publish")
    url = faulty.url.replace("redis://", "redis://site:x@")
    async with bus_at(url, "near") as bus, bus_at(faulty.direct_url, "far") as other:
        near, far = Heard(bus), Heard(other)
        await near.open()
        await far.open()
        near.bus.publish("ns:a", b"1")
        await until(lambda: near.reconnects)
        assert (far.news, far.has_reloaded) == ([], False)
        faulty.say("ACL", "SETUSER", "site", "+publish")
        await until(lambda: far.reloads)


async def test_an_outage_without_events_reloads_no_other_process(faulty: FaultyRedis) -> None:
    async with near_and_far(faulty, far_direct=True) as (near, far):
        faulty.proxy.cut()
        await until(lambda: near.reconnects)
        near.bus.publish("ns:a", b"1")
        await until(lambda: far.news == [b"1"])
        assert not far.has_reloaded


async def test_one_reload_replaces_all_dropped_events(faulty: FaultyRedis) -> None:
    async with near_and_far(faulty, far_direct=True) as (near, far):
        with faulty.proxy.fault("silent", lost=True):
            for number in range(1000):
                near.bus.publish("ns:a", b"%d" % number)
            assert await has_given_up(near.bus)
        await until(lambda: far.reloads)
        near.bus.publish("ns:a", b"last")
        await until(lambda: far.news == [b"last"])
        assert far.reloads <= 2


async def test_a_process_that_ends_waits_for_its_last_events(faulty: FaultyRedis) -> None:
    async with near_and_far(faulty, far_direct=True) as (near, far):
        faulty.proxy.begin("silent")
        near.bus.publish("ns:a", b"1")
        flushed = asyncio.ensure_future(near.bus.flush())
        assert await has_given_up(near.bus)
        faulty.proxy.heal(lost=True)
        await flushed
        await until(lambda: far.reloads)


# -- listening --


async def test_a_frozen_subscription_connection_is_noticed_and_replaced(faulty: FaultyRedis) -> None:
    """Like a firewall that drops a connection silently: new ones work, and nothing ends the old one."""
    async with near_and_far(faulty, far_direct=False) as (near, far):
        await until(lambda: near.bus.subscriber.is_listening and far.bus.subscriber.is_listening)
        began = time.monotonic()
        with faulty.proxy.fault("deaf"):
            faulty.say("PUBLISH", "ns:a", "x|lost")
            await until(lambda: far.reconnects and near.reconnects, within(NOTICED_SECONDS))
            assert far.news == []
            faulty.say("PUBLISH", "ns:a", "x|heard")
            await until(lambda: far.news == [b"heard"])
        assert time.monotonic() - began < within(NOTICED_SECONDS)


async def test_a_subscription_on_a_frozen_connection_is_confirmed_on_a_new_one(faulty: FaultyRedis) -> None:
    async with near_and_far(faulty, far_direct=False) as (_, far):
        with faulty.proxy.fault("deaf"):
            heard: list[bytes] = []
            async with asyncio.timeout(within(3)):
                await far.bus.subscriber.subscribe("ns:new", lambda _channel, news: heard.append(news))
            faulty.say("PUBLISH", "ns:new", "x|1")
            await until(lambda: heard == [b"1"])


async def test_a_failed_subscription_is_completed_later(faulty: FaultyRedis) -> None:
    async with near_and_far(faulty, far_direct=False) as (_, far):
        heard: list[bytes] = []
        with faulty.proxy.fault("silent", lost=True), pytest.raises(Unavailable):
            async with asyncio.timeout(within(3)):
                await far.bus.subscriber.subscribe("ns:new", lambda _channel, news: heard.append(news))
        # Not requested again: another socket may wait for it already.
        await until(lambda: far.reconnects)
        faulty.say("PUBLISH", "ns:new", "x|1")
        await until(lambda: heard == [b"1"])


async def test_the_second_subscriber_waits_for_the_first(faulty: FaultyRedis) -> None:
    async with near_and_far(faulty, far_direct=False) as (_, far):
        faulty.proxy.hold_answers()
        heard: list[bytes] = []
        both = [
            asyncio.ensure_future(
                far.bus.subscriber.subscribe("ns:new", lambda _channel, news: heard.append(news))
            )
            for _ in "ab"
        ]
        await asyncio.wait(both, timeout=0.2)
        assert not any(one.done() for one in both)
        faulty.proxy.hold_answers(is_held=False)
        await asyncio.gather(*both)
        faulty.say("PUBLISH", "ns:new", "x|1")
        await until(lambda: heard == [b"1"])


async def test_a_subscriber_that_gives_up_leaves_the_subscription_to_the_other(faulty: FaultyRedis) -> None:
    async with near_and_far(faulty, far_direct=False) as (_, far):
        faulty.proxy.hold_answers()
        first, second = (
            asyncio.ensure_future(far.bus.subscriber.subscribe("ns:new", lambda *_: None)) for _ in "ab"
        )
        await asyncio.wait([first, second], timeout=0.1)
        first.cancel()
        faulty.proxy.hold_answers(is_held=False)
        await second
        assert not far.bus.subscriber._waiting


async def test_a_channel_left_and_taken_again_is_confirmed_by_the_last_answer(faulty: FaultyRedis) -> None:
    async with near_and_far(faulty, far_direct=False) as (_, far):
        faulty.proxy.hold_answers()
        first = asyncio.ensure_future(far.bus.subscriber.subscribe("ns:new", lambda *_: None))
        await asyncio.sleep(0)
        far.bus.subscriber.unsubscribe("ns:new")
        heard: list[bytes] = []
        second = asyncio.ensure_future(
            far.bus.subscriber.subscribe("ns:new", lambda _channel, news: heard.append(news))
        )
        await asyncio.sleep(0)
        assert far.bus.subscriber._due["ns:new"] == 2
        faulty.proxy.hold_answers(is_held=False)
        await asyncio.gather(first, second)
        assert not far.bus.subscriber._due
        faulty.say("PUBLISH", "ns:new", "x|1")
        await until(lambda: heard == [b"1"])


async def test_a_channel_that_is_no_longer_wanted_costs_no_connection(faulty: FaultyRedis) -> None:
    async with near_and_far(faulty, far_direct=False) as (_, far):
        faulty.proxy.hold_answers()
        first = asyncio.ensure_future(far.bus.subscriber.subscribe("ns:new", lambda *_: None))
        await asyncio.sleep(0)
        far.bus.subscriber.unsubscribe("ns:new")
        far.bus.subscriber.reconnect("a test")
        await until(lambda: far.reconnects == 1)
        accepted = faulty.proxy.accepted
        async with asyncio.timeout(within(3)):
            await first
        assert (far.reconnects, faulty.proxy.accepted) == (1, accepted)


async def test_a_subscriber_that_redis_drops_for_its_backlog(faulty: FaultyRedis) -> None:
    faulty.say("CONFIG", "SET", "client-output-buffer-limit", "pubsub 65536 65536 1")
    async with near_and_far(faulty, far_direct=False) as (_, far):
        faulty.proxy.hold_answers()
        big = "x|" + 100_000 * "y"
        await until(lambda: faulty.say("PUBLISH", "ns:a", big) == 0, 10)
        assert far.news == []
        # The proxy does not pass on the end of the connection.
        await until(lambda: far.reconnects, within(NOTICED_SECONDS))
        faulty.say("PUBLISH", "ns:a", "x|1")
        await until(lambda: far.news == [b"1"])


async def test_subscriptions_continue_after_redis_was_restarted_and_emptied(faulty: FaultyRedis) -> None:
    async with near_and_far(faulty, far_direct=False) as (near, far):
        faulty.say("FLUSHALL")
        faulty.say("SCRIPT", "FLUSH")
        faulty.say("CLIENT", "KILL", "TYPE", "pubsub")
        await until(lambda: far.reconnects and near.reconnects)
        near.bus.publish("ns:a", b"1")
        await until(lambda: far.news == [b"1"])
