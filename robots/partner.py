"""A partner of the demo: is online, answers invites after a moment, and rings visitors who wait for long."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial

from aiortc.mediastreams import MediaStreamTrack

from robots.client import Client, SiteError, SiteMessage, Socket
from robots.portraits import jpeg, look_of
from robots.talk import Talk
from robots.tracks import Pictures, PortraitTrack, VoiceTrack

logger = logging.getLogger(__name__)
ANSWER_SECONDS = 2.0
# A visitor who has been in the room for this long is rung once, by the robot that may.
RING_AFTER_SECONDS = 45.0
LOOK_SECONDS = 5.0
RING_FOR_SECONDS = 120
RETRY_SECONDS = 2.0


@dataclass(frozen=True)
class Role:
    token: str
    name: str
    gender: str
    seed: int
    rings: bool = False


class Partner:
    def __init__(self, base_url: str, role: Role) -> None:
        self._role = role
        self._client = Client(base_url, role.token)
        self._look = look_of(role.seed, role.gender)
        self._pictures: asyncio.Future[Pictures] | None = None
        self._is_busy = False
        self._calls: set[asyncio.Task[None]] = set()
        # When each visitor was first seen in the room, and who was rung already.
        self._seen: dict[str, float] = {}
        self._rung: set[str] = set()

    async def run(self) -> None:
        """Online until cancelled; connects again after every outage."""
        try:
            while True:
                try:
                    await self._ensure_selfie()
                    await self._stay_online()
                except SiteError as error:
                    logger.info("%s is not online: %s", self._role.name, error)
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            for task in self._calls:
                task.cancel()
            await asyncio.gather(*self._calls, return_exceptions=True)
            await self._client.close()

    async def _ensure_selfie(self) -> None:
        me = await self._client.get("/user/me")
        if me["selfieUrl"] is None:
            picture = await asyncio.to_thread(jpeg, self._look)
            await self._client.upload("/media/selfie", "selfie", picture)

    async def _stay_online(self) -> None:
        async with self._client.socket("/ws/invites") as socket:
            await socket.send({"type": "queue:join"})
            looking = asyncio.create_task(self._ring_visitors(socket)) if self._role.rings else None
            try:
                async for message in socket.messages():
                    self._on_message(socket, message)
            finally:
                if looking is not None:
                    looking.cancel()

    def _on_message(self, socket: Socket, message: SiteMessage) -> None:
        kind = message["type"]
        if kind == "state":
            self._resume(socket, message)
        elif kind == "call:notify":
            self._start(self._answer(socket, message["inviteId"], message["requestedSeconds"]))
        elif kind == "call:start":
            self._begin(message["callId"])

    def _resume(self, socket: Socket, state: SiteMessage) -> None:
        """After a reconnect: answers the ring, or returns to the call."""
        ring = state["invite"]
        if ring and ring["direction"] == "in":
            self._start(self._answer(socket, ring["inviteId"], ring["requestedSeconds"]))
        if state["call"]:
            self._begin(state["call"]["callId"])

    async def _answer(self, socket: Socket, invite_id: str, seconds: int) -> None:
        """Accepts, for the length that the caller chose. The portrait is drawn while it rings."""
        await asyncio.gather(asyncio.sleep(ANSWER_SECONDS), self._drawn())
        await socket.send({"type": "call:accept", "inviteId": invite_id, "requestedSeconds": seconds})

    def _drawn(self) -> asyncio.Future[Pictures]:
        if self._pictures is None:
            drawing = asyncio.to_thread(Pictures, self._look, f"{self._role.name}, robot")
            self._pictures = asyncio.ensure_future(drawing)
        return self._pictures

    def _begin(self, call_id: str) -> None:
        if not self._is_busy:
            self._is_busy = True
            self._start(self._talk(call_id))

    async def _talk(self, call_id: str) -> None:
        try:
            pictures, role = await self._drawn(), self._role
            make_tracks = partial(self._tracks, pictures, time.monotonic())
            await Talk(self._client, call_id, role.name, role.seed, make_tracks).run()
        except SiteError as error:
            logger.warning("%s could not talk: %s", self._role.name, error)
        finally:
            self._is_busy = False

    def _tracks(self, pictures: Pictures, started: float) -> tuple[MediaStreamTrack, MediaStreamTrack]:
        pitch = (185 if self._role.gender == "female" else 115) + 4 * self._role.seed
        return VoiceTrack(pitch, started), PortraitTrack(pictures, started)

    async def _ring_visitors(self, socket: Socket) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                page = await self._client.get("/room/queue?limit=50")
            except SiteError as error:
                logger.info("The queue could not be read: %s", error)
                continue
            visitor = self._due(page["users"])
            if visitor and not self._is_busy:
                self._rung.add(visitor)
                wish = {"toUserId": visitor, "requestedSeconds": RING_FOR_SECONDS}
                await socket.send({"type": "call:invite", **wish})

    def _due(self, users: list[SiteMessage]) -> str | None:
        """A person who has waited long enough and was not rung before."""
        now = time.monotonic()
        ids = [one["userId"] for one in users if not one.get("isRobot") and "cooldownUntil" not in one]
        self._seen = {user_id: self._seen.get(user_id, now) for user_id in ids}
        waited = (one for one in ids if one not in self._rung and now - self._seen[one] >= RING_AFTER_SECONDS)
        return next(waited, None)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
