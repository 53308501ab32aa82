"""A complete call as two browsers make it, page requests included, from the invite to the room.

The requests and messages are those recorded from two Chromiums. The half minute of talk is left out, but its
pings are sent. `IN_PAGES`: each step is a document with its own invite socket and its own request for ICE
servers. `IN_ONE_PAGE`: the invite socket stays open, and the steps are fragments.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.client.call import CALL_SECONDS, Times, accept, chat, end, negotiate, ring, sit
from bench.client.connections import HttpConnection, WireSocket
from bench.client.sockets import Present

PINGS_OF_TALK = 6
MEDIA = {"type": "media:state", "audio": True, "video": True, "camera": True, "wantsVideo": True}
Hold = Callable[[int, Present, Present], Awaitable[Times]]


@dataclass(frozen=True)
class BrowserCall:
    """One call. `is_one_page`: see above."""

    is_one_page: bool

    async def __call__(self, port: int, caller: Present, callee: Present) -> Times:
        """Raises: Declined, ConnectionError, TimeoutError."""
        both = caller, callee
        async with asyncio.timeout(CALL_SECONDS):
            began = time.perf_counter()
            invite_id = await ring(caller, callee)
            rang = time.perf_counter()
            call_id = await accept(caller, callee, invite_id)
            await asyncio.gather(*[self._open_call(port, one, call_id) for one in both])
            seats = await asyncio.gather(*[self._sit(port, one, call_id) for one in both])
            answered = await negotiate(*seats)
            await _connect(*seats)
            running = time.perf_counter()
            await chat(*seats)
            await asyncio.gather(*[_ping(seat, PINGS_OF_TALK) for seat in seats])
            await end(*seats)
            await asyncio.gather(*[self._show_end(port, one, call_id) for one in both])
            await asyncio.gather(*[self._go_back(port, one) for one in both])
        return Times(*[1000 * (at - began) for at in (rang, answered, running)])

    async def _open_call(self, port: int, one: Present, call_id: str) -> None:
        await self._page(port, one, f"/calls/{call_id}")
        if not self.is_one_page:
            http = await _http(port, one)
            await http.get(f"/turn/credentials?callId={call_id}", one.person.token)

    async def _sit(self, port: int, one: Present, call_id: str) -> WireSocket:
        seat = await sit(port, one, call_id)
        await _ping(seat, 1)
        for _ in range(3):
            seat.send(**MEDIA)
        return seat

    async def _show_end(self, port: int, one: Present, call_id: str) -> None:
        await self._page(port, one, f"/calls/{call_id}")

    async def _go_back(self, port: int, one: Present) -> None:
        await self._page(port, one, "/room")
        if not self.is_one_page:
            one.socket.send(type="queue:join", id="join")
            await one.socket.receive("queue:state")
            await (await _http(port, one)).get(
                "/room/queue", one.person.token, accept="text/html", extra=HTMX
            )

    async def _page(self, port: int, one: Present, path: str) -> None:
        """A document with its own invite socket, or a fragment."""
        http = await _http(port, one)
        if self.is_one_page:
            await http.get(path, one.person.token, accept="text/html", extra=HTMX)
            return
        one.socket.close()
        await http.get(path, one.person.token, accept="text/html")
        one.socket = await WireSocket.open(port, "/ws/invites", one.person.token)
        await one.socket.receive("state")
        one.socket.send(type="ping")
        await one.socket.receive("pong")


HTMX = "HX-Request: true\r\n"
IN_PAGES, IN_ONE_PAGE = BrowserCall(is_one_page=False), BrowserCall(is_one_page=True)


async def _http(port: int, one: Present) -> HttpConnection:
    """The connection that this user's browser keeps open."""
    if one.http is None or not one.http.is_open:
        one.http = await HttpConnection.open(port)
    return one.http


async def _ping(socket: WireSocket, count: int) -> None:
    for _ in range(count):
        socket.send(type="ping")
        await socket.receive("pong")


async def _connect(caller: WireSocket, callee: WireSocket) -> None:
    for seat in (caller, callee):
        seat.send(type="rtc:connected", path="direct", pictureMs=800, restarts=0)
    await asyncio.gather(caller.receive("call:clock"), callee.receive("call:clock"))
