"""One side of a WebRTC call, negotiated as docs/protocol.md and static/call/engine.js do.

Every negotiation of a robot uses a new connection (aiortc has no ICE restart and no rollback). Messages carry
`attempt`: a lower one is stale, a higher one wins, and of two equal new ones the polite side's counts.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial

from aiortc import (
    RTCConfiguration,
    RTCIceCandidate,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtcconfiguration import RTCIceTransportPolicy
from aiortc.sdp import candidate_from_sdp

from robots.client import SiteMessage
from robots.ice_urls import readable
from robots.uninterrupted import to_its_end

# They log addresses at INFO.
for name in ("aioice", "aiortc"):
    logging.getLogger(name).setLevel(logging.WARNING)

Send = Callable[[SiteMessage], Awaitable[None]]
MakeTracks = Callable[[], tuple[MediaStreamTrack, MediaStreamTrack]]


class Flow:
    """What has arrived from the other side."""

    def __init__(self) -> None:
        self.frames = {"audio": 0, "video": 0}
        self.any, self.both = asyncio.Event(), asyncio.Event()

    def count(self, kind: str) -> None:
        self.frames[kind] += 1
        self.any.set()
        if all(self.frames.values()):
            self.both.set()


class Peer:
    def __init__(
        self,
        send: Send,
        make_tracks: MakeTracks,
        ice_servers: list[SiteMessage],
        *,
        is_polite: bool,
        is_relay_only: bool = False,
    ) -> None:
        self._send, self._make_tracks = send, make_tracks
        self._servers, self._is_relay_only = ice_servers, is_relay_only
        self._is_polite = is_polite
        self._attempt = 0
        self._pc: RTCPeerConnection | None = None
        self._held: list[tuple[int, SiteMessage]] = []
        self._readers: set[asyncio.Task[None]] = set()
        self._lock, self._is_closed = asyncio.Lock(), False
        self.flow = Flow()

    @property
    def leads(self) -> bool:
        """Whether this side offers first when the other one arrives and nothing flows yet."""
        return self._is_polite and not self.flow.any.is_set()

    def follow(self, earlier: Peer) -> None:
        """This one's attempts come after those of `earlier`, in the same call."""
        self._attempt = earlier._attempt

    async def offer(self) -> None:
        """Begins a negotiation with a new connection."""
        await to_its_end(self._one_by_one(self._offer))

    async def receive(self, message: SiteMessage) -> None:
        """One `rtc:*` message of the other side."""
        await to_its_end(self._one_by_one(partial(self._receive, message)))

    async def close(self) -> None:
        """Ends the connection; what arrives later is ignored."""
        self._is_closed = True
        await to_its_end(self._close())

    async def _one_by_one(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """A connection that is closed while it gathers candidates would leave sockets open."""
        async with self._lock:
            if not self._is_closed:
                await work()

    async def _close(self) -> None:
        async with self._lock:
            await self._hang_up()

    async def _offer(self) -> None:
        self._attempt = max(self._attempt + 1, int(time.time()))
        pc = await self._connect()
        for track in self._make_tracks():
            pc.addTransceiver(track, direction="sendrecv")
        await pc.setLocalDescription(await pc.createOffer())
        if pc is self._pc:
            await self._send({"type": "rtc:offer", "sdp": pc.localDescription.sdp, "attempt": self._attempt})

    async def _receive(self, message: SiteMessage) -> None:
        attempt = message.get("attempt", self._attempt)
        if message["type"] == "rtc:offer":
            await self._take_offer(message["sdp"], attempt)
        elif message["type"] == "rtc:answer":
            await self._take_answer(message["sdp"], attempt)
        elif message["type"] == "rtc:ice":
            candidates = message.get("candidates") or [message.get("candidate")]
            self._held += [(attempt, one) for one in candidates if one and one.get("candidate")]
        await self._add_candidates()

    async def _take_offer(self, sdp: str, attempt: int) -> None:
        is_waiting = self._pc is not None and self._pc.signalingState == "have-local-offer"
        if attempt < self._attempt or (attempt == self._attempt and is_waiting and self._is_polite):
            return
        self._attempt = attempt
        pc = await self._connect()
        await pc.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
        tracks = {track.kind: track for track in self._make_tracks()}
        for transceiver in pc.getTransceivers():
            transceiver.direction = "sendrecv"
            transceiver.sender.replaceTrack(tracks[transceiver.kind])
        await pc.setLocalDescription(await pc.createAnswer())
        if pc is self._pc:
            await self._send({"type": "rtc:answer", "sdp": pc.localDescription.sdp, "attempt": attempt})

    async def _take_answer(self, sdp: str, attempt: int) -> None:
        if attempt != self._attempt or self._pc is None or self._pc.signalingState != "have-local-offer":
            return
        await self._pc.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))

    async def _add_candidates(self) -> None:
        pc = self._pc
        if pc is None or pc.remoteDescription is None:
            return
        ready = [one for attempt, one in self._held if attempt == self._attempt]
        self._held = [(attempt, one) for attempt, one in self._held if attempt > self._attempt]
        for one in ready:
            candidate = _candidate(one)
            if candidate is not None:
                await pc.addIceCandidate(candidate)

    async def _connect(self) -> RTCPeerConnection:
        await self._hang_up()
        policy = RTCIceTransportPolicy.RELAY if self._is_relay_only else RTCIceTransportPolicy.ALL
        servers = [
            RTCIceServer(urls=urls, username=one.get("username"), credential=one.get("credential"))
            for one in self._servers
            if (urls := readable(one["urls"]))
        ]
        pc = RTCPeerConnection(RTCConfiguration(iceServers=servers, iceTransportPolicy=policy))
        self._pc = pc

        @pc.on("track")
        def read(track: MediaStreamTrack) -> None:
            task = asyncio.create_task(self._read(track))
            self._readers.add(task)
            task.add_done_callback(self._readers.discard)

        return pc

    async def _read(self, track: MediaStreamTrack) -> None:
        """Takes what arrives; frames that nothing takes would fill the memory."""
        try:
            while True:
                await track.recv()
                self.flow.count(track.kind)
        except MediaStreamError:
            return

    async def _hang_up(self) -> None:
        pc, self._pc = self._pc, None
        if pc is None:
            return
        for sender in pc.getSenders():
            if sender.track:
                sender.track.stop()
        await pc.close()
        for task in self._readers:
            task.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)


def _candidate(one: SiteMessage) -> RTCIceCandidate | None:
    """None for a candidate that aiortc cannot read."""
    try:
        candidate = candidate_from_sdp(one["candidate"].partition(":")[2])
    except (AssertionError, ValueError, IndexError):
        return None
    candidate.sdpMid, candidate.sdpMLineIndex = one.get("sdpMid"), one.get("sdpMLineIndex")
    return candidate
