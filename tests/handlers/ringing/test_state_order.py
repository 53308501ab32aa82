"""The order of `state` and events: exact interleavings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.ringing.state_order import MOST_LOOKS, StateOrder
from models.errors import Unavailable
from models.messages import StateMessage


def event(type: str, number: int = 0) -> bytes:
    return json.dumps({"type": type, "number": number}).encode()


class Recorder:
    """A socket's frames; `during[n]` are the events that arrive during the n-th read."""

    def __init__(self, *during: list[bytes]) -> None:
        self.frames: list[bytes] = []
        self.order = StateOrder(self.frames.append)
        self._during = list(during)
        self.looks = 0

    async def look(self) -> StateMessage | None:
        self.looks += 1
        for frame in self._during[self.looks - 1] if self.looks <= len(self._during) else ():
            self.order.push(frame)
        return StateMessage(server_now=self.looks, access="paid", available=True, invite=None, call=None)

    async def show(self) -> list[Any]:
        await self.order.show(self.look)
        return [one.get("number", one["type"]) for one in map(json.loads, self.frames)]


async def test_an_event_before_the_first_state_makes_it_read_again_and_is_part_of_it() -> None:
    recorder = Recorder([event("call:notify", 1)])
    assert await recorder.show() == ["state"]
    assert recorder.looks == 2
    recorder.order.push(event("call:notify", 2))
    assert await recorder.show() == ["state", 2, "state"]


@pytest.mark.parametrize("type", ["call:start", "contacts:shared", "queue:update"])
async def test_events_that_no_state_contains_are_sent_after_the_first(type: str) -> None:
    assert await Recorder([event(type, 1)]).show() == ["state", 1]


async def test_a_later_state_comes_after_the_events_before_it() -> None:
    recorder = Recorder([], [event("call:notify", 1)], [event("call:cancelled", 2)])
    await recorder.show()
    assert await recorder.show() == ["state", 1, 2, "state"]


async def test_endless_events_wait_during_the_last_read() -> None:
    recorder = Recorder([], *([event("call:notify", number)] for number in range(1, 9)))
    await recorder.show()
    last = MOST_LOOKS
    assert await recorder.show() == ["state", *range(1, last), "state", last]


async def test_events_during_the_last_read_of_the_first_state_come_after_it() -> None:
    recorder = Recorder(*([event("call:notify", number)] for number in range(1, 9)))
    assert await recorder.show() == ["state", MOST_LOOKS]


async def test_events_continue_when_a_later_state_cannot_be_read() -> None:
    recorder = Recorder()
    await recorder.show()

    async def fail() -> StateMessage | None:
        recorder.order.push(event("call:notify", 1))
        raise Unavailable

    with pytest.raises(Unavailable):
        await recorder.order.show(fail)
    recorder.order.push(event("call:cancelled", 2))
    assert await recorder.show() == ["state", 1, 2, "state"]
