"""The subscription connection: a handler for each channel, own events once, all channels again after a loss.

tests/models/redis/test_outages.py has the outages of the network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
import redis
from tornado.ioloop import IOLoop

from models.redis.address import RedisAddress
from models.redis.subscriber import Subscriber
from tests.support.scenes import until
from tests.support.servers import Servers

OWN = b"me|"
Publish = Callable[[str, bytes], int]


@pytest.fixture
def publish(servers: Servers) -> Iterator[Publish]:
    """Publishes as another process; the number of subscribers that received it."""
    with redis.Redis.from_url(servers.redis_url) as client:
        yield lambda channel, event: int(client.publish(channel, b"other|" + event))


class Received(list[tuple[str, object]]):
    def handle(self, channel: str, event: object) -> None:
        self.append((channel, event))


@pytest.fixture
def subscriber(io_loop: IOLoop, servers: Servers) -> Iterator[Subscriber]:
    one = Subscriber(RedisAddress(servers.redis_url), OWN)
    io_loop.run_sync(lambda: one.open("ns:all", lambda channel, event: None))
    yield one
    io_loop.run_sync(one.close)


async def test_each_channel_has_its_handler_and_decoder(subscriber: Subscriber, publish: Publish) -> None:
    texts, numbers = Received(), Received()
    await subscriber.subscribe("ns:text", texts.handle)
    await subscriber.subscribe("ns:number", numbers.handle, int)
    assert (publish("ns:text", b"x"), publish("ns:number", b"7"), publish("ns:none", b"y")) == (1, 1, 0)
    await until(lambda: numbers)
    assert (texts, numbers) == ([("ns:text", b"x")], [("ns:number", 7)])


async def test_an_own_event_is_handled_once(subscriber: Subscriber, servers: Servers) -> None:
    received = Received()
    await subscriber.subscribe("ns:text", received.handle)
    subscriber.deliver("ns:text", "own")
    with redis.Redis.from_url(servers.redis_url) as client:
        client.publish("ns:text", OWN + b"own")
        client.publish("ns:text", b"other|last")
    await until(lambda: ("ns:text", b"last") in received)
    assert received == [("ns:text", "own"), ("ns:text", b"last")]


async def test_a_channel_that_was_left_is_not_received(subscriber: Subscriber, publish: Publish) -> None:
    received = Received()
    await subscriber.subscribe("ns:text", received.handle)
    subscriber.unsubscribe("ns:text")
    await until(lambda: publish("ns:text", b"late") == 0)
    assert not received


async def test_an_error_of_a_handler_affects_no_later_event(
    subscriber: Subscriber, publish: Publish, caplog: pytest.LogCaptureFixture
) -> None:
    received = Received()
    await subscriber.subscribe("ns:number", received.handle, int)
    publish("ns:number", b"seven")
    publish("ns:number", b"8")
    await until(lambda: received)
    assert received == [("ns:number", 8)]
    assert "could not be delivered" in caplog.text


async def test_after_a_loss_every_channel_is_subscribed_again(
    subscriber: Subscriber, publish: Publish
) -> None:
    received, reconnected = Received(), asyncio.Event()
    subscriber.on_reconnect = reconnected.set
    await subscriber.subscribe("ns:one", received.handle)
    await subscriber.subscribe("ns:two", received.handle)
    subscriber.reconnect("a test")
    assert not subscriber.is_listening
    await reconnected.wait()
    await until(lambda: publish("ns:one", b"1") and publish("ns:two", b"2"))
    await until(lambda: len(received) == 2)
    assert subscriber.is_listening
