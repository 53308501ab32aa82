"""A complete call as two browsers would make it: the unit of work that the benchmarks measure.

Invite, ring, accept, two call sockets, an offer of 4 kB, an answer of 3 kB, twenty candidates each way in
batches of five (what a client gathers within 20 ms), media on both sides, five chat messages, each waited
for, and the end. Every message from the server is waited for, so a lost frame is a failed call.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import msgspec

from bench.client.connections import WireSocket, field_of
from bench.client.sockets import Present

CALL_SECONDS = 20.0
SECONDS = 300
BATCHES, BATCH, LINES = 4, 5, 5
CANDIDATE = {
    "candidate": "candidate:842163049 1 udp 1677729535 203.0.113.77 46154 typ srflx raddr 10.0.0.17 "
    "rport 46154 generation 0 ufrag EsAw network-cost 999",
    "sdpMid": "0",
    "sdpMLineIndex": 0,
    "usernameFragment": "EsAw",
}
OFFER = msgspec.json.encode({"type": "rtc:offer", "sdp": "v=0\r\n" + "a" * 4000, "attempt": 1})
ANSWER = msgspec.json.encode({"type": "rtc:answer", "sdp": "v=0\r\n" + "a" * 3000, "attempt": 1})
CANDIDATES = msgspec.json.encode({"type": "rtc:ice", "candidates": [CANDIDATE] * BATCH, "attempt": 1})


@dataclass(frozen=True)
class Times:
    """Milliseconds from the invite to the ring, to the caller's receipt of the answer, and to the running
    clock.
    """

    ring: float
    answered: float
    running: float


class Declined(Exception):
    """The invite was declined: `str()` is the reason."""


async def hold(port: int, caller: Present, callee: Present) -> Times:
    """A complete call. Raises: Declined, ConnectionError, TimeoutError."""
    async with asyncio.timeout(CALL_SECONDS):
        began = time.perf_counter()
        invite_id = await ring(caller, callee)
        rang = time.perf_counter()
        call_id = await accept(caller, callee, invite_id)
        seats = await asyncio.gather(*[sit(port, one, call_id) for one in (caller, callee)])
        answered = await negotiate(*seats)
        await _connect(*seats)
        running = time.perf_counter()
        await chat(*seats)
        await end(*seats)
    return Times(*[1000 * (at - began) for at in (rang, answered, running)])


async def meet(
    port: int, caller: Present, callee: Present, seconds: int = SECONDS
) -> tuple[WireSocket, WireSocket]:
    """The two seats of a running call: caller's and callee's. Raises: as `hold`."""
    async with asyncio.timeout(CALL_SECONDS):
        call_id = await accept(caller, callee, await ring(caller, callee, seconds), seconds)
        seats = [await sit(port, one, call_id) for one in (caller, callee)]
        await _connect(*seats)
    return seats[0], seats[1]


async def ring(caller: Present, callee: Present, seconds: int = SECONDS) -> str:
    """The invite's id, once the callee's socket rings."""
    to = callee.person.user_id
    caller.socket.send(type="call:invite", id="invite", toUserId=to, requestedSeconds=seconds)
    declined = asyncio.create_task(caller.socket.receive("call:declined"))
    notified = asyncio.create_task(callee.socket.receive("call:notify"))
    await asyncio.wait((declined, notified), return_when=asyncio.FIRST_COMPLETED)
    for task in (declined, notified):
        task.cancel()
    if not notified.done() or notified.cancelled():
        raise Declined(field_of(declined.result(), "reason"))
    return field_of(notified.result(), "inviteId")


async def accept(caller: Present, callee: Present, invite_id: str, seconds: int = SECONDS) -> str:
    await caller.socket.receive("call:ringing")
    callee.socket.send(type="call:accept", id="accept", inviteId=invite_id, requestedSeconds=seconds)
    started = await caller.socket.receive("call:start")
    await callee.socket.receive("call:start")
    return field_of(started, "callId")


async def sit(port: int, one: Present, call_id: str) -> WireSocket:
    seat = await WireSocket.open(port, f"/ws/calls/{call_id}", one.person.token)
    await seat.receive("call:state")
    return seat


async def negotiate(caller: WireSocket, callee: WireSocket) -> float:
    """Sends offer, answer and all candidates; the instant at which the caller had the answer."""
    caller.send_frame(OFFER)
    await callee.receive("rtc:offer")
    callee.send_frame(ANSWER)
    await caller.receive("rtc:answer")
    answered = time.perf_counter()
    for _ in range(BATCHES):
        caller.send_frame(CANDIDATES)
        callee.send_frame(CANDIDATES)
        await asyncio.gather(caller.receive("rtc:ice"), callee.receive("rtc:ice"))
    return answered


async def _connect(caller: WireSocket, callee: WireSocket) -> None:
    caller.send(type="rtc:connected", id="up")
    callee.send(type="rtc:connected", id="up")
    await asyncio.gather(caller.receive("call:clock"), callee.receive("call:clock"))


async def chat(caller: WireSocket, callee: WireSocket) -> None:
    for line in range(LINES):
        sender = caller if line % 2 == 0 else callee
        sender.send(type="chat:message", id=f"line-{line}", text=f"This is line {line} of a short talk.")
        await asyncio.gather(caller.receive("chat:message"), callee.receive("chat:message"))


async def end(caller: WireSocket, callee: WireSocket) -> None:
    caller.send(type="call:end", id="end")
    await asyncio.gather(caller.receive("call:end"), callee.receive("call:end"))
    await asyncio.gather(caller.closed(), callee.closed())
