"""The bus: commands, scripts and events between processes; in order, and recovery after an outage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import hiredis
import msgspec
import pytest

from models.errors import Unavailable
from models.redis import keys
from models.redis.client import Bus, Script
from tests.support.scenes import until
from tests.support.servers import Servers


@asynccontextmanager
async def buses(servers: Servers, number: int = 2) -> AsyncIterator[list[Bus]]:
    opened = [Bus(servers.redis_url, f"p{index}") for index in range(number)]
    try:
        yield opened
    finally:
        for bus in opened:
            await bus.close()


def nothing(_channel: str, _news: bytes) -> None:
    pass


async def test_events_are_handled_here_at_once_and_elsewhere_once(servers: Servers) -> None:
    async with buses(servers) as (near, far):
        here: list[bytes] = []
        there: list[tuple[str, bytes]] = []
        await near.open("ns:a", lambda _channel, news: here.append(news))
        await far.open("ns:a", lambda channel, news: there.append((channel, news)))
        await far.subscriber.subscribe("ns:b", nothing)
        await near.subscriber.subscribe("ns:b", nothing)
        near.publish("ns:a", b"x|y")
        assert here == [b"x|y"]
        await until(lambda: there)
        near.publish("ns:a", b"last")
        await until(lambda: len(there) == 2)
        assert there == [("ns:a", b"x|y"), ("ns:a", b"last")]
        assert here == [b"x|y", b"last"]


async def test_an_event_is_not_encoded_for_its_own_process(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    async with buses(servers) as (near, far):
        here: list[object] = []
        there: list[object] = []
        decode, event = msgspec.json.Decoder(list[int]).decode, [1, 2]
        await near.open("ns:a", lambda _channel, event: here.append(event), decode)
        await far.open("ns:a", lambda _channel, event: there.append(event), decode)
        near.publish("ns:a", event, msgspec.json.encode)
        assert here[0] is event
        near.publish("ns:a", ["no number"], msgspec.json.encode)
        near.publish("ns:a", event, msgspec.json.encode)
        await until(lambda: len(there) == 2)
        assert there == [event, event]
    assert [record.message for record in caplog.records] == ["an event could not be delivered"]


async def test_events_arrive_in_the_order_of_publication(servers: Servers) -> None:
    async with buses(servers) as (near, far):
        heard: list[int] = []
        await near.open("ns:x", nothing)
        await far.open("ns:a", lambda _channel, news: heard.append(int(news)))
        for number in range(500):
            near.publish("ns:a", b"%d" % number)
            if number % 3 == 0:
                await asyncio.sleep(0)
        await until(lambda: len(heard) == 500)
        assert heard == sorted(heard)


async def test_events_published_after_subscribing_arrive(servers: Servers) -> None:
    async with buses(servers) as (near, far):
        await near.open("ns:x", nothing)
        await far.open("ns:x", nothing)
        for number in range(50):
            heard: list[bytes] = []
            await far.subscriber.subscribe(
                f"ns:{number}", lambda _channel, news, heard=heard: heard.append(news)
            )
            near.publish(f"ns:{number}", b"x")
            await until(lambda heard=heard: heard)
            far.subscriber.unsubscribe(f"ns:{number}")


async def test_several_handlers_can_subscribe_to_one_channel(servers: Servers) -> None:
    async with buses(servers) as (near, far):
        heard: list[bytes] = []
        await near.open("ns:x", nothing)
        await far.open("ns:x", nothing)
        await asyncio.gather(
            *(far.subscriber.subscribe("ns:a", lambda _c, news: heard.append(news)) for _ in range(8))
        )
        near.publish("ns:a", b"x")
        await until(lambda: heard)
        assert heard == [b"x"]
        assert not far.subscriber._due
        assert not far.subscriber._waiting


async def test_a_handler_that_has_left_gets_no_more_events(servers: Servers) -> None:
    async with buses(servers) as (near, far):
        heard: list[bytes] = []
        await near.open("ns:x", nothing)
        await far.open("ns:last", lambda _channel, news: heard.append(news))
        await far.subscriber.subscribe("ns:a", lambda _channel, news: heard.append(news))
        far.subscriber.unsubscribe("ns:a")
        near.publish("ns:a", b"not this")
        near.publish("ns:last", b"this")
        await until(lambda: heard)
        assert heard == [b"this"]


async def test_a_failing_handler_affects_no_other_and_is_logged(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    async with buses(servers) as (near, far):
        heard: list[bytes] = []

        def fail(_channel: str, news: bytes) -> None:
            heard.append(news)
            raise ValueError

        await near.open("ns:x", nothing)
        await far.open("ns:a", fail)
        near.publish("ns:a", b"1")
        near.publish("ns:a", b"2")
        await until(lambda: len(heard) == 2)
        # In this very process, too: the publisher is not affected.
        await near.subscriber.subscribe("ns:a", fail)
        near.publish("ns:a", b"3")
        await until(lambda: len(heard) == 4)
        assert [record.message for record in caplog.records] == ["an event could not be delivered"] * 4


async def test_a_lost_connection_is_noticed_and_events_continue(servers: Servers) -> None:
    async with buses(servers) as (near, far):
        heard: list[bytes] = []
        again = asyncio.Event()

        far.subscriber.on_reconnect = again.set
        await near.open("ns:x", nothing)
        await far.open("ns:a", lambda _channel, news: heard.append(news))
        await far.subscriber.subscribe("ns:b", lambda _channel, news: heard.append(news))
        await near.command("client", "kill", "type", "pubsub")
        async with asyncio.timeout(30):
            await again.wait()
        near.publish("ns:a", b"1")
        near.publish("ns:b", b"2")
        await until(lambda: len(heard) == 2)


async def test_all_subscribers_during_an_outage_are_confirmed(servers: Servers) -> None:
    async with buses(servers) as (near, far):
        await near.open("ns:x", nothing)
        await far.open("ns:y", nothing)
        await near.command("client", "kill", "type", "pubsub")
        await until(lambda: far.subscriber._connection is None)
        heard: list[bytes] = []
        await asyncio.gather(
            *(far.subscriber.subscribe("ns:a", lambda _channel, news: heard.append(news)) for _ in "ab")
        )
        near.publish("ns:a", b"1")
        await until(lambda: heard == [b"1"])


async def test_an_unknown_answer_does_not_end_the_subscription(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    async with buses(servers) as (near, far):
        heard: list[bytes] = []
        await near.open("ns:x", nothing)
        await far.open("ns:a", lambda _channel, news: heard.append(news))
        again = asyncio.Event()

        far.subscriber.on_reconnect = again.set
        assert far.subscriber._connection is not None
        far.subscriber._connection.write(hiredis.pack_command(("SUBSCRIBE", b"\xff")))
        async with asyncio.timeout(30):
            await again.wait()
        near.publish("ns:a", b"1")
        await until(lambda: heard == [b"1"])
        assert [record.message for record in caplog.records] == ["subscribing again"]


async def test_redis_down_is_unavailable_and_nothing_else() -> None:
    bus = Bus("unix:///nowhere/redis.sock", "p")
    with pytest.raises(Unavailable):
        await bus.command("ping")
    with pytest.raises(Unavailable):
        await bus.script("room.beat", "p", 0, 0)
    with pytest.raises(Unavailable):
        await bus.open("ns:a", nothing)
    bus.publish("ns:a", b"lost")
    await bus.flush()
    await bus.close()


async def test_a_command_that_cannot_be_encoded_fails_only_its_caller(servers: Servers) -> None:
    async with buses(servers, 1) as (bus,):

        async def ask(value: object) -> object:
            return await bus.command("echo", value)

        answers = await asyncio.gather(*map(ask, ("a", None, 2, "\ud800", 0.5)), return_exceptions=True)
        assert [answers[0], answers[2], answers[4]] == [b"a", b"2", b"0.5"]
        assert [type(answers[1]), type(answers[3])] == [TypeError, UnicodeEncodeError]


async def test_a_script_is_sent_once_and_survives_an_emptied_redis(servers: Servers) -> None:
    async with buses(servers, 1) as (bus,):
        assert await bus.script("room.beat", "p", 1000, 6000) == [0]
        assert await bus.script("room.beat", "p", 2000, 6000) == [1]
        await bus.command("script", "flush")
        assert await bus.script("room.beat", "p", 3000, 6000) == [1]


def test_a_script_includes_the_files_it_names() -> None:
    assert "local function settle" in Script.named("room.away_due").text
    assert "local function settle" not in Script.named("room.beat").text


def test_every_key_has_the_sites_prefix() -> None:
    names = [
        keys.busy("u"),
        keys.sockets("u"),
        keys.invite("i"),
        keys.parked("c", "caller"),
        keys.seat("c", "x"),
    ]
    names += [keys.user_channel("u"), keys.call_channel("c"), *keys.of_call("c")]
    assert all(name.startswith(keys.PREFIX) for name in names)
    assert len(set(names)) == len(names) - 1  # The seat and its stored frames also belong to the call.
