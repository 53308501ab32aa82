"""A real call between two robots through the site's public address, for `server.py doctor` and PROBE_MINUTES.

Both sides use the socket messages, the TURN credentials and the relay as every client does. The result is one
record, which names the step that failed. The call ends, and both leave the room, whatever happens.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack, VideoStreamTrack

from robots.allocations import fault_of, stun_fault_of
from robots.client import Client, SiteError, SiteMessage, Socket
from robots.ice_urls import named, readable
from robots.peer import Peer
from robots.portraits import jpeg, look_of

STEP_SECONDS = 10.0
MEDIA_SECONDS = 8.0
LENGTH_SECONDS = 60


class Failed(Exception):
    """The step that failed, for the operator."""


class ProbeSide:
    """One caller: its messages by type, and its connection."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._inbox: asyncio.Queue[SiteMessage] = asyncio.Queue()
        self.peer: Peer | None = None
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket.messages():
            if message["type"].startswith("rtc:") and self.peer is not None:
                await self.peer.receive(message)
            else:
                await self._inbox.put(message)
        await self._inbox.put({"type": "closed", "code": self._socket.close_code})

    async def send(self, message: SiteMessage) -> None:
        await self._socket.send(message)

    async def wait(self, kind: str, *others: str) -> SiteMessage:
        """The next message of one of these types. Raises: Failed."""
        try:
            async with asyncio.timeout(STEP_SECONDS):
                while (message := await self._inbox.get())["type"] not in (kind, *others):
                    if message["type"] == "closed":
                        raise Failed(f"the socket closed with {message['code']} while waiting for {kind}")
        except TimeoutError as error:
            raise Failed(f"no {kind} within {STEP_SECONDS:.0f} seconds") from error
        return message

    async def close(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        if self.peer is not None:
            await self.peer.close()


async def probe(plan: SiteMessage) -> SiteMessage:
    """`{"stun": {url: fault}, "allocations": {url: fault}, "direct": {…}, "relayed": {url: {…}}}`; `call` has
    the fault of another step.
    """
    result: SiteMessage = {}
    clients = [Client(plan["url"], token) for token in plan["tokens"]]
    try:
        for client in clients:
            if (await client.get("/user/me"))["selfieUrl"] is None:
                await client.upload("/media/selfie", "selfie", jpeg(look_of(0, "unspecified"), 256))
        async with AsyncExitStack() as stack:
            rooms = [await stack.enter_async_context(side(one, "/ws/invites")) for one in clients]
            call_id, is_polite = await _ring(rooms, plan["user_ids"])
            path = f"/ws/calls/{call_id}"
            seats = [await stack.enter_async_context(side(one, path)) for one in clients]
            servers = (await clients[0].get(f"/turn/credentials?callId={call_id}"))["iceServers"]
            await _talk(result, seats, servers, is_polite, is_relay_only=plan.get("relayOnly", False))
            await seats[0].send({"type": "call:end"})
            await seats[1].wait("call:end")
            for room in rooms:
                await room.send({"type": "queue:leave", "id": "leave"})
                await room.wait("queue:state")
    except (Failed, SiteError) as error:
        result["call"] = str(error)
    finally:
        for client in clients:
            await client.close()
    return result


@asynccontextmanager
async def side(client: Client, path: str) -> AsyncIterator[ProbeSide]:
    async with client.socket(path) as socket:
        side = ProbeSide(socket)
        try:
            yield side
        finally:
            await side.close()


async def _ring(rooms: list[ProbeSide], user_ids: list[str]) -> tuple[str, bool]:
    """The call's id, and whether the caller is polite. Raises: Failed."""
    caller, callee = rooms
    await callee.send({"type": "queue:join", "id": "join"})
    joined = await callee.wait("queue:state", "error")
    if not joined.get("available"):
        raise Failed(f"the callee could not join the room ({joined.get('code', 'not available')})")
    await caller.send({"type": "call:invite", "toUserId": user_ids[1], "requestedSeconds": LENGTH_SECONDS})
    answer = await caller.wait("call:ringing", "call:declined", "error")
    if answer["type"] != "call:ringing":
        raise Failed(f"the invite was declined ({answer.get('reason') or answer.get('code')})")
    ring = await callee.wait("call:notify")
    await callee.send(
        {"type": "call:accept", "inviteId": ring["inviteId"], "requestedSeconds": LENGTH_SECONDS}
    )
    start = await caller.wait("call:start")
    return start["callId"], start["polite"]


async def _talk(
    result: SiteMessage,
    seats: list[ProbeSide],
    servers: list[SiteMessage],
    is_polite: bool,
    *,
    is_relay_only: bool,
) -> None:
    """Checks every TURN URL, then media both ways: directly, and through each URL that grants a relay."""
    for seat in seats:
        await seat.wait("call:state")
        # Before any media: the site would end a call that does not connect, and all URLs shall be tried.
        await seat.send({"type": "rtc:connected"})
    for seat in seats:
        await seat.wait("call:clock")
    turn, stun = named(servers, "turn"), named(servers, "stun")
    faults = await asyncio.gather(
        *(fault_of(url, server) for url, server in turn), *(stun_fault_of(url) for url, _ in stun)
    )
    result["allocations"] = {url: fault for (url, _), fault in zip(turn, faults, strict=False)}
    result["stun"] = {url: fault for (url, _), fault in zip(stun, faults[len(turn) :], strict=True)}
    if not is_relay_only:
        # Each side would wait for a server that is silent, longer than the call may take.
        answering = [{"urls": [url]} for url, fault in result["stun"].items() if fault is None]
        result["direct"] = await _media(seats, answering, is_polite, is_relay_only=False)
    result["relayed"] = {}
    for url, server in turn:
        if result["allocations"][url] is None and readable(url):
            usable = [{**server, "urls": [url]}]
            result["relayed"][url] = await _media(seats, usable, is_polite, is_relay_only=True)
    await _chat(seats)


async def _media(
    seats: list[ProbeSide], servers: list[SiteMessage], is_polite: bool, *, is_relay_only: bool
) -> SiteMessage:
    """`{"seconds": …}` until picture and sound have arrived on both sides, or `{"fault": …}`."""
    began = time.monotonic()
    peers = [
        Peer(seat.send, _tracks, servers, is_polite=polite, is_relay_only=is_relay_only)
        for seat, polite in zip(seats, (is_polite, not is_polite), strict=True)
    ]
    for seat, peer in zip(seats, peers, strict=True):
        if seat.peer is not None:
            await seat.peer.close()
            peer.follow(seat.peer)
        seat.peer = peer
    try:
        async with asyncio.timeout(MEDIA_SECONDS):
            await next(peer for peer in peers if peer.leads).offer()
            await asyncio.gather(*(peer.flow.both.wait() for peer in peers))
    except TimeoutError:
        arrived = [kind for kind in ("audio", "video") if all(peer.flow.frames[kind] for peer in peers)]
        return {
            "fault": f"no picture and sound on both sides within {MEDIA_SECONDS:.0f} seconds",
            "arrived": arrived,
        }
    return {"seconds": round(time.monotonic() - began, 2)}


async def _chat(seats: list[ProbeSide]) -> None:
    """Raises: Failed, if a message does not arrive."""
    await seats[0].send({"type": "chat:message", "id": "probe", "text": "A test of the doctor."})
    await seats[1].wait("chat:message")


def _tracks() -> tuple[MediaStreamTrack, MediaStreamTrack]:
    return AudioStreamTrack(), VideoStreamTrack()
