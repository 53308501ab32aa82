"""Arrivals and departures for the people on this process who watch the queue: `queue:update`, at most once a
second each.

One arrival or departure costs what it changes: a departure is told to those who have the card, an arrival to
those who have seen everyone else. Nobody
is told `more` twice before they have asked. The number online goes along, and by itself every five seconds
when it has changed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from models import messages
from models.broadcasts import Delivered
from models.messages import QueueUpdate
from models.room.presence import Presence
from models.supervise import Tasks

TICK_SECONDS = 1.0
COUNT_TICKS = 5
MOST_AT_ONCE = 50
MOST_ASKED = 500


class Watching(Protocol):
    def send(self, frame: bytes) -> None: ...


# In the order they came. A dictionary, since with a page's twenty it takes a fifth of what a set does.
Ids = dict[str, None]


@dataclass(slots=True)
class Viewer:
    """What is on one person's screen, and what they have yet to hear."""

    delivered: Ids = field(default_factory=dict)
    # Hidden by a block or a report since this person came: a page that was on its way then is put right.
    hidden: Ids = field(default_factory=dict)
    knows_of_more: bool = False
    left: list[str] = field(default_factory=list)

    def knows(self, card: str) -> bool:
        """On the screen already, or never to be on it."""
        return card in self.delivered or card in self.hidden


class QueueFeed:
    def __init__(self, presence: Presence, sockets: Callable[[str], Sequence[Watching]]) -> None:
        self._presence = presence
        self._sockets = sockets
        self._viewers: dict[str, Viewer] = {}
        self._watchers: dict[str, Ids] = {}
        # Those who have everybody on their screen: only they hear of an arrival.
        self._sated: set[str] = set()
        self._pending: set[str] = set()
        self._told_online = 0
        self._ticks = 0
        self._tasks = Tasks()

    def start(self) -> None:
        self._tasks.repeat("the queue update", self._round, TICK_SECONDS)

    async def stop(self) -> None:
        await self._tasks.stop()

    def watch(self, user_id: str) -> None:
        """Begins to know what is on the person's screen: nothing yet."""
        if user_id not in self._viewers:
            self._viewers[user_id] = Viewer()
            self._sated.add(user_id)

    def join(self, user_id: str) -> None:
        """A socket has joined: it hears from now on, and of what changed since the page it has."""
        self.watch(user_id)
        viewer = self._viewers[user_id]
        if viewer.left or viewer.knows_of_more:
            self._pending.add(user_id)

    def forget(self, user_id: str) -> None:
        viewer = self._viewers.pop(user_id, None)
        if viewer is None:
            return
        self._sated.discard(user_id)
        self._pending.discard(user_id)
        for card in viewer.delivered:
            self._unwatch(card, user_id)

    def delivered(self, user_id: str, page: Delivered) -> None:
        """A page reached the person's screen."""
        user_id = sys.intern(user_id)
        self.watch(user_id)
        viewer = self._viewers[user_id]
        # Gone and back before the tick: what is delivered now is not taken away by older news.
        viewer.left = [card for card in viewer.left if card not in page.ids]
        for card in map(sys.intern, page.ids):
            viewer.delivered[card] = None
            self._watchers.setdefault(card, {})[user_id] = None
            if card in viewer.hidden:
                self._take_away(user_id, card)
        viewer.knows_of_more = page.more
        (self._sated.discard if page.more else self._sated.add)(user_id)

    def hide(self, user_id: str, card: str) -> None:
        """For this one person the card's person has left."""
        viewer = self._viewers.get(user_id)
        if viewer is not None:
            viewer.hidden[card] = None
            if card in viewer.delivered:
                self._take_away(user_id, card)

    def show(self, user_id: str, card: str) -> None:
        """The card's person may have come back, for this one person."""
        viewer = self._viewers.get(user_id)
        if viewer is not None:
            viewer.hidden.pop(card, None)
            self._tell_of_more([user_id])

    def _take_away(self, user_id: str, card: str) -> None:
        viewer = self._viewers[user_id]
        viewer.delivered.pop(card, None)
        self._unwatch(card, user_id)
        viewer.left.append(card)
        self._pending.add(user_id)

    def heard(self, _channel: str, news: bytes) -> None:
        """`+<user id>` is listed now, `-<user id>` no longer."""
        card = news[1:].decode()
        if news[:1] == b"+":
            self._arrived(card)
        else:
            self._departed(card)

    def _arrived(self, card: str) -> None:
        viewers = self._viewers
        curious = [one for one in self._sated if one != card and not viewers[one].knows(card)]
        self._tell_of_more(curious)

    def _tell_of_more(self, user_ids: Iterable[str]) -> None:
        for user_id in user_ids:
            self._viewers[user_id].knows_of_more = True
            self._sated.discard(user_id)
            self._pending.add(user_id)

    def _departed(self, card: str) -> None:
        for user_id in self._watchers.pop(card, ()):
            viewer = self._viewers[user_id]
            viewer.delivered.pop(card, None)
            viewer.left.append(card)
            self._pending.add(user_id)

    def _unwatch(self, card: str, user_id: str) -> None:
        watchers = self._watchers.get(card)
        if watchers is not None:
            watchers.pop(user_id, None)
            if not watchers:
                del self._watchers[card]

    async def catch_up(self) -> None:
        """After news may have been lost: who is not listed any more leaves every screen."""
        cards = list(self._watchers)
        for at in range(0, len(cards), MOST_ASKED):
            some = cards[at : at + MOST_ASKED]
            for card, is_listed in zip(some, await self._presence.are_listed(some), strict=True):
                if not is_listed:
                    self._departed(card)
        self._tell_of_more(list(self._sated))

    async def _round(self) -> None:
        self._ticks += 1
        await self.tick(with_count=self._ticks % COUNT_TICKS == 0)

    async def tick(self, *, with_count: bool) -> None:
        """Tells everybody what is new for them, in one frame each."""
        if not self._pending and not (with_count and self._viewers):
            return
        online = await self._presence.online_users()
        pending, self._pending = self._pending, set()
        async for user_id, viewer in self._in_turn(pending):
            if not self._sockets(user_id):
                continue  # none has joined: kept for `join`
            left, viewer.left = viewer.left, []
            self._send(user_id, _frame(left, viewer.knows_of_more, online))
        if with_count and online != self._told_online:
            self._told_online = online
            frames = {more: _frame([], more, online) for more in (True, False)}
            async for user_id, viewer in self._in_turn(self._viewers.keys() - pending):
                self._send(user_id, frames[viewer.knows_of_more])

    async def _in_turn(self, user_ids: Iterable[str]) -> AsyncIterator[tuple[str, Viewer]]:
        """Those who still look on. Thousands of frames take a while: a ring does not wait for all of them."""
        for number, user_id in enumerate(user_ids, 1):
            viewer = self._viewers.get(user_id)
            if viewer is not None:
                yield user_id, viewer
            if number % MOST_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _send(self, user_id: str, frame: bytes) -> None:
        for socket in self._sockets(user_id):
            socket.send(frame)


def _frame(left: list[str], more: bool, online: int) -> bytes:
    return messages.encode(QueueUpdate(left=left, more=more, online_users=online))
