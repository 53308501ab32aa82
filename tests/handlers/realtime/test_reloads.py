"""The reload of all sockets: each is reloaded once, even if one of them fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from handlers.realtime.reloads import Reloads, look_again
from models.errors import NotFound, Problem, Unavailable
from models.retry import MOST_FAILURES
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.scenes import two, until

Work = Callable[[], Awaitable[None]]


class Asked:
    """A fake socket: records what it was sent, and the problem it was closed for."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.told = 0
        self.refused: Problem | None = None

    async def work(self) -> None:
        await asyncio.sleep(0)
        if self._errors:
            raise self._errors.pop(0)
        self.told += 1

    def refuse(self, problem: Problem) -> None:
        self.refused = problem


@asynccontextmanager
async def reloads(
    *sockets: Asked, announce: Work | None = None, catch_up: Work | None = None
) -> AsyncIterator[Reloads]:
    async def nothing() -> None:
        pass

    made = Reloads(
        lambda: [(one, one.work) for one in sockets],  # type: ignore[misc]
        announce or nothing,
        catch_up or nothing,
    )
    made.start()
    try:
        yield made
    finally:
        await made.stop()


async def test_each_socket_is_reloaded_once_however_often_it_is_requested() -> None:
    sockets = [Asked() for _ in range(50)]
    async with reloads(*sockets) as made:
        for _ in range(10):
            made.request()
        await until(lambda: all(one.told for one in sockets))
        assert {one.told for one in sockets} == {1}
        made.request()
        await until(lambda: all(one.told == 2 for one in sockets))


async def test_one_failure_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    away, gone, faulty, fine = Asked(Unavailable()), Asked(NotFound()), Asked(ValueError()), Asked()
    async with reloads(away, gone, faulty, fine) as made:
        made.request()
        await until(lambda: fine.told and away.told)
    assert isinstance(gone.refused, NotFound)
    assert isinstance(faulty.refused, Unavailable), "its client opens it again and gets its state"
    assert (gone.told, faulty.told) == (0, 0)
    assert caplog.messages == ["a socket could not be reloaded"]


async def test_a_single_socket_that_cannot_be_reloaded_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    faulty = Asked(*[ValueError()] * MOST_FAILURES)
    await look_again(faulty, faulty.work, again_seconds=0.001)
    assert isinstance(faulty.refused, Unavailable)
    assert caplog.messages[-1] == "a socket could not be reloaded"


async def test_the_preparation_is_retried_until_it_works() -> None:
    first, then, socket = Asked(Unavailable(), RuntimeError()), Asked(Unavailable()), Asked()
    async with reloads(socket, announce=first.work, catch_up=then.work) as made:
        made.request(announce=True)
        await until(lambda: socket.told, 10)
        assert (first.told, then.told) == (1, 1)
        made.request()
        await until(lambda: socket.told == 2)
        assert (first.told, then.told) == (1, 2)


async def test_a_user_who_left_during_an_outage_leaves_the_screen(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    """Seen by an API client that requests nothing."""
    far = await make_site()
    pair = await two(site, person, far)
    cleo = await person("Cleo")
    viewer = await site.invites(cleo)
    page = (await site.client.get("/room/queue", token=cleo.token)).json["users"]
    assert {one["userId"] for one in page} == {pair.anna.user_id, pair.ben.user_id}
    # The event of Ben's departure is lost.
    site.models.bus.subscriber._subscriptions.pop("ns:c:queue")
    pair.b.send("queue:leave", id="leave")
    await pair.b.receive("queue:state", id="leave")
    await far.models.bus.flush()
    await site.models.bus.subscriber.subscribe("ns:c:queue", site.site.hub.feed.change)
    far.models.bus.reload_everyone()
    update = await viewer.receive("queue:update", left=[pair.ben.user_id])
    assert update["more"]
    await viewer.receive("state")
