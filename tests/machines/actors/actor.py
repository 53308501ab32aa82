"""An API client that behaves as docs/protocol.md demands.

It signs up, joins, invites, talks, reconnects after a lost socket, and repeats a chat message until it is
answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Any

from tests.conftest import jpeg
from tests.machines.actors.line import Line, Told
from tests.support.clients import Answer, Client
from tests.support.scenes import until

REPEAT_SECONDS = 2.0
_numbers = itertools.count(1)


async def served(request: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer, after as many attempts as a busy site asks for with 503."""
    answers: list[Answer] = []

    async def is_served() -> bool:
        answers.append(await request())
        return answers[-1].status != 503

    with contextlib.suppress(TimeoutError):
        await until(is_served)
    return answers[-1]


class Actor:
    """`at` is where the next socket is opened; a lost one is reopened through the proxy."""

    def __init__(self, url: str, client: Client, user_id: str, name: str, token: str) -> None:
        self.url, self.client = url, client
        self.user_id, self.name, self.token = user_id, name, token
        self.state: Told = {}
        self.invites: Line | None = None
        self.talk: Talk | None = None

    @classmethod
    async def sign_up(cls, url: str, code: str | None = None, name: str = "") -> Actor:
        client = Client(url)
        name = name or f"Person {next(_numbers)}"
        form = {"name": name, "gender": "female", "adult": True} | ({"inviteCode": code} if code else {})
        answer = await served(lambda: client.post("/auth/guest", form))
        assert answer.status == 201, answer.text
        actor = cls(url, client, answer.json["userId"], name, answer.json["sessionToken"])
        answer = await served(lambda: client.upload("/media/selfie", "selfie", jpeg(), token=actor.token))
        assert answer.status == 201, answer.text
        return actor

    async def pay(self) -> str:
        """Pays through the test checkout; returns the invite code for friends."""
        offered = (await self.client.post("/payment/create-checkout", {}, token=self.token)).json
        page = "/" + offered["checkoutUrl"].split("/", 3)[3]
        await self.client.post(page, {"action": "pay"}, token=self.token)
        status = f"/payment-success?session_id={offered['sessionId']}"
        return str((await self.client.get(status, token=self.token)).json["inviteCode"])

    async def arrive(self, at: str | None = None) -> Actor:
        """Goes online and joins the queue, on a socket at this process or at any."""
        self.invites = self._line("/ws/invites", self._heard, at)
        await self.invites.hear("queue:state")
        return self

    def _line(self, path: str, heard: Any, at: str | None) -> Line:
        places = iter([at] if at else [])
        return Line(lambda: next(places, self.url), path, self.token, heard)

    def _heard(self, message: Told) -> None:
        if message["type"] == "state":
            self.state = message
            self.line.send("queue:join")

    @property
    def talking(self) -> Talk:
        assert self.talk is not None
        return self.talk

    @property
    def line(self) -> Line:
        assert self.invites is not None
        return self.invites

    async def ring(self, other: Actor, seconds: int = 60) -> str:
        self.line.send("call:invite", toUserId=other.user_id, requestedSeconds=seconds, id="ring")
        ringing = await self.line.hear("call:ringing", "call:declined", id="ring")
        assert ringing["type"] == "call:ringing", ringing
        await other.line.hear("call:notify", inviteId=ringing["inviteId"])
        return str(ringing["inviteId"])

    async def accept(self, invite_id: str, seconds: int = 60) -> str:
        self.line.send("call:accept", inviteId=invite_id, requestedSeconds=seconds, id="accept")
        return str((await self.line.hear("call:start", id="accept"))["callId"])

    async def enter(self, call_id: str, at: str | None = None) -> Talk:
        """Takes the seat and reports connected media."""
        self.talk = Talk(self, call_id)
        self.talk.line = self._line(f"/ws/calls/{call_id}", self.talk.heard, at)
        await self.talk.line.hear("call:state")
        return self.talk

    async def get(self, path: str) -> Any:
        return (await self.client.get(path, token=self.token)).json

    async def leave(self) -> None:
        for line in (self.invites, self.talk.line if self.talk else None):
            if line is not None:
                await line.close()
        self.client.close()


class Talk:
    """One side of a call: what its screen shows."""

    line: Line

    def __init__(self, who: Actor, call_id: str) -> None:
        self.who, self.call_id = who, call_id
        self.shown: dict[str, str] = {}
        self.unanswered: dict[str, str] = {}
        self.clock: Told = {}
        self.ends: list[Told] = []
        self._said = itertools.count(1)

    def heard(self, message: Told) -> None:
        kind = message["type"]
        if kind == "call:state":
            for line in message["messages"]:
                self.shown[line["messageId"]] = line["text"]
            self.line.send("rtc:connected")
            self.repeat()
        if kind in ("call:state", "call:clock"):
            self.clock = message
        if kind == "chat:message":
            self.shown[message["messageId"]] = message["text"]
            if message["from"] == self.who.user_id:
                self.unanswered.pop(message.get("id", ""), None)
        if kind == "call:end":
            self.ends.append(message)

    def say(self, text: str) -> None:
        """Sends a chat message and repeats it until it is answered, however often the socket is lost."""
        name = f"{self.who.name} {next(self._said)}"
        self.unanswered[name] = text
        self.line.send("chat:message", text=text, id=name)

    def repeat(self) -> None:
        for name, text in self.unanswered.items():
            self.line.send("chat:message", text=text, id=name)

    async def answered(self, seconds: float = 20.0) -> None:
        """Waits until every message of this side has been answered."""
        deadline = time.monotonic() + seconds
        while self.unanswered:
            with contextlib.suppress(TimeoutError):
                await until(lambda: not self.unanswered, REPEAT_SECONDS)
            assert time.monotonic() < deadline, self.unanswered
            self.repeat()

    async def running(self, seconds: float = 10.0) -> None:
        await until(lambda: self.clock.get("state") == "running", seconds)

    @property
    def left_ms(self) -> float:
        """What this screen's clock shows now: the server's last value, counted down."""
        gone = time.time() * 1000 - self.clock["serverNow"] if self.clock["state"] == "running" else 0
        return float(self.clock["remainingMs"] - gone)

    async def end(self, seconds: float = 10.0) -> Told:
        """The reason why the call ended; also checks that the socket was closed."""
        assert await self.line.over(seconds) == 1000
        return self.ends[-1]


async def in_call(
    a: Actor, b: Actor, *, a_at: str | None = None, b_at: str | None = None, seconds: int = 60
) -> str:
    """The two talk; the clock runs on both screens."""
    call_id = await b.accept(await a.ring(b, seconds), seconds)
    await a.line.hear("call:start", callId=call_id)
    await asyncio.gather(a.enter(call_id, a_at), b.enter(call_id, b_at))
    await asyncio.gather(a.talking.running(), b.talking.running())
    return call_id
