"""One call of a partner: takes its seat, sends picture and voice, chats, and says goodbye in time."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from contextlib import aclosing

from aiortc.mediastreams import MediaStreamTrack

from robots import phrases
from robots.client import Client, SiteMessage, Socket
from robots.peer import Peer

# How long before the end it says goodbye, and how long it "types".
GOODBYE_SECONDS = 12.0
TYPING_SECONDS = 1.2
OFFER_AFTER_SECONDS = 0.2


class Talk:
    def __init__(
        self,
        client: Client,
        call_id: str,
        name: str,
        seed: int,
        make_tracks: Callable[[], tuple[MediaStreamTrack, MediaStreamTrack]],
    ) -> None:
        self._client, self._call_id, self._name, self._seed = client, call_id, name, seed
        self._make_tracks = make_tracks
        self._user_id = self._other = ""
        self._replies = 0
        self._goodbye: asyncio.TimerHandle | None = None
        self._has_greeted = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Returns when the call has ended or its socket has closed. Raises: SiteError."""
        credentials = await self._client.get(f"/turn/credentials?callId={self._call_id}")
        async with self._client.socket(f"/ws/calls/{self._call_id}") as socket:
            peer: Peer | None = None
            try:
                async with aclosing(socket.messages()) as messages:
                    async for message in messages:
                        if message["type"] == "call:state" and peer is None:
                            peer = self._meet(socket, message, credentials["iceServers"])
                        elif message["type"] == "call:end":
                            return
                        elif peer is not None:
                            await self._on_message(socket, peer, message)
            finally:
                if self._goodbye is not None:
                    self._goodbye.cancel()
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
                if peer is not None:
                    await peer.close()

    def _meet(self, socket: Socket, state: SiteMessage, servers: list[SiteMessage]) -> Peer:
        person = state.get("peerUser") or {}
        self._other, self._user_id = person.get("name", "there"), person.get("userId", "")
        peer = Peer(socket.send, self._make_tracks, servers, is_polite=state["polite"])
        self._start(self._report_media(socket, peer))
        if state["peerHere"] and state["polite"]:
            self._start(self._lead(peer))
        if state["state"] == "running":
            self._clock(socket, state)
        return peer

    async def _on_message(self, socket: Socket, peer: Peer, message: SiteMessage) -> None:
        kind = message["type"]
        if kind.startswith("rtc:"):
            await peer.receive(message)
        elif kind == "peer:joined" and peer.leads:
            self._start(self._lead(peer))
        elif kind == "call:clock" and message["state"] == "running":
            self._clock(socket, message)
        elif kind == "chat:message" and message["from"] == self._user_id:
            self._replies += 1
            self._start(self._say(socket, [phrases.reply(message["text"], self._other, self._replies)]))

    async def _lead(self, peer: Peer) -> None:
        await asyncio.sleep(OFFER_AFTER_SECONDS)
        await peer.offer()

    async def _report_media(self, socket: Socket, peer: Peer) -> None:
        """The clock runs once both sides have reported media."""
        await socket.send({"type": "media:state", "audio": True, "video": True, "camera": True})
        await peer.flow.any.wait()
        await socket.send({"type": "rtc:connected"})

    def _clock(self, socket: Socket, message: SiteMessage) -> None:
        """The clock runs, with this much time left: sets the time of the goodbye."""
        if not self._has_greeted:
            self._has_greeted = True
            self._start(self._say(socket, phrases.greeting(self._name, self._other, self._seed)))
        if self._goodbye is not None:
            self._goodbye.cancel()
        wait = max(0.0, message["remainingMs"] / 1000 - GOODBYE_SECONDS)
        self._goodbye = asyncio.get_running_loop().call_later(wait, self._part, socket)

    def _part(self, socket: Socket) -> None:
        self._start(self._say(socket, [phrases.goodbye(self._other)]))

    async def _say(self, socket: Socket, lines: list[str]) -> None:
        for line in lines:
            await asyncio.sleep(TYPING_SECONDS)
            await socket.send({"type": "chat:message", "id": str(uuid.uuid4()), "text": line})

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
