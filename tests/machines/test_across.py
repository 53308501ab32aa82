"""One call, its two parties on different processes; and news that must reach every process."""

from __future__ import annotations

import asyncio

from tests.machines.actor import in_call
from tests.machines.conftest import People
from tests.machines.site import Machines


async def test_a_whole_call_across_processes(machines: Machines, people: People) -> None:
    anna, ben = await people(2)
    await asyncio.gather(anna.arrive(machines.one.url), ben.arrive(machines.two.url))
    cards = (await anna.get("/room/queue"))["users"]
    assert ben.user_id in [card["userId"] for card in cards]
    call_id = await in_call(anna, ben, a_at=machines.one.url, b_at=machines.two.url)
    a, b = anna.talk, ben.talk
    assert a
    assert b
    a.line.send("rtc:offer", sdp="v=0 offer", attempt=1)
    assert (await b.line.hear("rtc:offer"))["sdp"] == "v=0 offer"
    for number in range(5):
        (a if number % 2 else b).say(f"line {number}")
    await asyncio.gather(a.answered(), b.answered())
    machines.hurry(call_id, left_ms=500)
    mine, theirs = await asyncio.gather(a.end(3), b.end(3))
    assert mine == theirs
    assert mine["reason"] == "expired"
    await machines.check_over(call_id, anna, ben, "expired", {f"line {number}" for number in range(5)})
