"""The comparison for the calls: the same complete call on plain Tornado.

Tornado's own sockets on asyncio's own loop, aiopg without changes. The session is read at every opening, the
invite reads the callee, accept and end write the call: accounts and history are in PostgreSQL. Everything
else is in memory: no limits, no bans, no cooldown, no clock, no second process, no stored chat. Messages are
not validated. `python -m bench.plain_tornado PORT DATABASE_URL` runs until it is stopped.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from typing import Any, ClassVar

import aiopg
import msgspec
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

from models.ids import new_id

TABLE = """
create table if not exists plain_calls (
    call_id uuid primary key, caller_id uuid, callee_id uuid, ended_at timestamptz
)
"""
SESSION = "select user_id::text, expires_at from sessions where token_hash = %s"
PERSON = "select name, gender, selfie_id from users where user_id = %s"
BEGIN = "insert into plain_calls (call_id, caller_id, callee_id) values (%s, %s, %s)"
END = "update plain_calls set ended_at = now() where call_id = %s"


class Head(msgspec.Struct):
    type: str


class PlainSocket(WebSocketHandler):
    pool: ClassVar[aiopg.Pool]
    statements: ClassVar[int] = 0

    def check_origin(self, _origin: str) -> bool:
        return True

    async def prepare(self) -> None:
        token = self.request.headers["Authorization"].removeprefix("Bearer ")
        (self.user_id, _expires_at), *_ = await self.ask(SESSION, hashlib.sha256(token.encode()).digest())

    async def ask(self, sql: str, *values: object) -> list[Any]:
        PlainSocket.statements += 1
        async with self.pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute(sql, values)
            return list(await cursor.fetchall()) if cursor.description else []

    def tell(self, kind: str, **values: object) -> None:
        self.write_message(msgspec.json.encode({"type": kind} | values))


class Invites(PlainSocket):
    online: ClassVar[dict[str, Invites]] = {}
    ringing: ClassVar[dict[str, Invites]] = {}

    def open(self, *_args: str, **_kwargs: str) -> None:
        self.online[self.user_id] = self
        self.tell("state")

    async def on_message(self, frame: str | bytes) -> None:
        message = msgspec.json.decode(frame)
        match message["type"]:
            case "queue:join":
                self.tell("queue:state", available=True)
            case "call:invite":
                await self.ask(PERSON, message["toUserId"])
                invite_id = new_id()
                self.ringing[invite_id] = self
                self.online[message["toUserId"]].tell("call:notify", inviteId=invite_id)
                self.tell("call:ringing", inviteId=invite_id)
            case "call:accept":
                caller, call_id = self.ringing.pop(message["inviteId"]), new_id()
                await self.ask(BEGIN, call_id, caller.user_id, self.user_id)
                for party in (caller, self):
                    party.tell("call:start", callId=call_id)


class Relay(PlainSocket):
    seats: ClassVar[dict[str, list[Relay]]] = {}
    call_id = ""
    is_up = False

    def open(self, *args: str, **_kwargs: str) -> None:
        self.call_id = args[0]
        self.seats.setdefault(self.call_id, []).append(self)
        self.tell("call:state")

    async def on_message(self, frame: str | bytes) -> None:
        both = self.seats[self.call_id]
        match msgspec.json.decode(frame, type=Head).type:
            case "rtc:connected":
                self.is_up = True
                if all(seat.is_up for seat in both):
                    self.tell_all("call:clock")
            case "chat:message":
                self.tell_all("chat:message", text=msgspec.json.decode(frame)["text"])
            case "call:end":
                await self.ask(END, self.call_id)
                self.tell_all("call:end")
                for seat in both:
                    seat.close(1000)
            case _:
                peer = both[1] if both[0] is self else both[0]
                peer.write_message(frame)

    def tell_all(self, kind: str, **values: object) -> None:
        for seat in self.seats[self.call_id]:
            seat.tell(kind, **values)

    def on_close(self) -> None:
        self.seats.pop(self.call_id, None)


class Text(RequestHandler):
    """Any other message of the bench."""

    def get(self) -> None:
        self.write(f"napalmsky_database_statements_total {PlainSocket.statements}\n")


async def serve(port: int, database_url: str) -> None:
    async with aiopg.create_pool(database_url) as pool:
        PlainSocket.pool = pool
        async with pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute(TABLE)
        routes = [(r"/ws/invites", Invites), (r"/ws/calls/(.*)", Relay), (r".*", Text)]
        Application(routes, log_function=lambda _handler: None).listen(port, "127.0.0.1")  # type: ignore[arg-type]
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
