"""One call with its two sides on different processes; and events that must reach every process."""

from __future__ import annotations

import asyncio
import time

from tests.machines.actors.actor import in_call
from tests.machines.conftest import People
from tests.machines.site import Machines
from tests.support.pace import within

LINES = {f"line {number}" for number in range(6)}


async def test_a_whole_call_across_processes(machines: Machines, people: People) -> None:
    anna, ben = await people(2)
    await asyncio.gather(anna.arrive(machines.one.url), ben.arrive(machines.two.url))
    cards = (await anna.get("/room/queue"))["users"]
    assert ben.user_id in [card["userId"] for card in cards]
    call_id = await in_call(anna, ben, a_at=machines.one.url, b_at=machines.two.url)
    a, b = anna.talking, ben.talking
    a.line.send("rtc:offer", sdp="v=0 offer", attempt=1)
    assert (await b.line.hear("rtc:offer"))["sdp"] == "v=0 offer"
    for number, text in enumerate(sorted(LINES)):
        (a if number % 2 else b).say(text)
    await asyncio.gather(a.answered(), b.answered())
    machines.hurry(call_id, left_ms=500)
    mine, theirs = await asyncio.gather(a.end(), b.end())
    assert mine == theirs
    await machines.check_over(call_id, anna, ben, "expired", LINES)


async def test_a_sign_out_elsewhere_closes_every_socket(machines: Machines, people: People) -> None:
    anna, ben = await people(2)
    await asyncio.gather(anna.arrive(machines.one.url), ben.arrive(machines.one.url))
    await in_call(anna, ben, a_at=machines.two.url, b_at=machines.two.url)
    with machines.client(machines.three) as client:
        began = time.monotonic()
        assert (await client.post("/auth/logout", token=anna.token)).status == 204
        assert await anna.line.over() == await anna.talking.line.over() == 4401
        assert time.monotonic() - began < within(1.5)
        assert (await client.get("/room/queue", token=anna.token)).status == 401
    assert ben.line.codes == ben.talking.line.codes == []


# A reporter of full weight: here one is enough for a ban.
EXPERIENCED = """update users set successful_calls = 1, created_at = created_at - interval '2 days'
where user_id = %s returning true"""


async def test_a_ban_is_in_force_everywhere_within_a_second(machines: Machines, people: People) -> None:
    anna, ben = await people(2)
    await asyncio.gather(anna.arrive(machines.one.url), ben.arrive(machines.two.url))
    call_id = await in_call(anna, ben, a_at=machines.two.url, b_at=machines.one.url)
    machines.pair.rows(EXPERIENCED, anna.user_id)
    with machines.client(machines.three) as client:
        began = time.monotonic()
        report = {"userId": ben.user_id, "callId": call_id, "reason": "harassment"}
        assert (await client.post("/report", report, token=anna.token)).status == 201
        assert await ben.line.over() == 4403
        assert time.monotonic() - began < within(1.5)
        assert (await client.get("/room/queue", token=ben.token)).status == 403
    assert anna.line.codes == []
    await anna.talking.line.over()
    assert len(anna.talking.ends) == 1
    assert await machines.is_free(anna)
