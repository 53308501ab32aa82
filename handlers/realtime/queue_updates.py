"""Arrivals and departures for users of this process who watch the queue: `queue:update`.

Each user gets at most one update per second. A departure is sent to those who have the card, an arrival to
those who have seen all the other cards. A user gets `more` only once until they request a page. Each update
includes the number of users online; a change of that number alone is sent every five seconds.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from models import messages
from models.broadcasts import Delivered
from models.concurrency.background_tasks import BackgroundTasks
from models.messages import QueueUpdate
from models.room.presence import Presence

TICK_SECONDS = 1.0
COUNT_TICKS = 5
MOST_AT_ONCE = 50
MOST_ASKED = 500


class Watching(Protocol):
    def send(self, frame: bytes) -> None: ...


# In order of arrival. A dict, since with the twenty of a page it takes a fifth of the memory of a set.
Ids = dict[str, None]


@dataclass(slots=True)
class Viewer:
    """What a user's screen shows, and what has not been sent to them yet."""

    delivered: Ids = field(default_factory=dict)
    # Hidden by a block or a report after this user joined: a page already under way then is corrected.
    hidden: Ids = field(default_factory=dict)
    knows_of_more: bool = False
    left: list[str] = field(default_factory=list)

    def knows(self, card: str) -> bool:
        """True if the card is on the screen already, or must never be."""
        return card in self.delivered or card in self.hidden


class QueueFeed:
    def __init__(self, presence: Presence, sockets: Callable[[str], Sequence[Watching]]) -> None:
        self._presence = presence
        self._sockets = sockets
        self._viewers: dict[str, Viewer] = {}
        self._watchers: dict[str, Ids] = {}
        # Those who have every card on their screen: only they are sent arrivals.
        self._sated: set[str] = set()
        self._pending: set[str] = set()
        self._told_online = 0
        self._ticks = 0
        self._tasks = BackgroundTasks()

    def start(self) -> None:
        self._tasks.repeat("the queue update", self._round, TICK_SECONDS)

    async def stop(self) -> None:
        await self._tasks.stop()

    def watch(self, user_id: str) -> None:
        """Starts tracking a user's screen, which is empty."""
        if user_id not in self._viewers:
            self._viewers[user_id] = Viewer()
            self._sated.add(user_id)

    def join(self, user_id: str) -> None:
        """A socket has joined: it gets updates from now on, and the changes since the page it has."""
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
        """A page has reached the user's screen."""
        user_id = sys.intern(user_id)
        self.watch(user_id)
        viewer = self._viewers[user_id]
        # Left and returned before the tick: an older event must not remove what is delivered now.
        viewer.left = [card for card in viewer.left if card not in page.ids]
        for card in map(sys.intern, page.ids):
            viewer.delivered[card] = None
            self._watchers.setdefault(card, {})[user_id] = None
            if card in viewer.hidden:
                self._take_away(user_id, card)
        viewer.knows_of_more = page.more
        (self._sated.discard if page.more else self._sated.add)(user_id)

    def hide(self, user_id: str, card: str) -> None:
        """For this user, the card's owner has left."""
        viewer = self._viewers.get(user_id)
        if viewer is not None:
            viewer.hidden[card] = None
            if card in viewer.delivered:
                self._take_away(user_id, card)

    def show(self, user_id: str, card: str) -> None:
        """For this user, the card's owner may return."""
        viewer = self._viewers.get(user_id)
        if viewer is not None:
            viewer.hidden.pop(card, None)
            self._announce_more([user_id])

    def _take_away(self, user_id: str, card: str) -> None:
        viewer = self._viewers[user_id]
        viewer.delivered.pop(card, None)
        self._unwatch(card, user_id)
        viewer.left.append(card)
        self._pending.add(user_id)

    def change(self, _channel: str, event: bytes) -> None:
        """`+<user id>` is listed now, `-<user id>` no longer."""
        card = event[1:].decode()
        if event[:1] == b"+":
            self._arrived(card)
        else:
            self._departed(card)

    def _arrived(self, card: str) -> None:
        viewers = self._viewers
        curious = [one for one in self._sated if one != card and not viewers[one].knows(card)]
        self._announce_more(curious)

    def _announce_more(self, user_ids: Iterable[str]) -> None:
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
        """After events may have been lost: removes every user who is no longer listed from all screens."""
        cards = list(self._watchers)
        for at in range(0, len(cards), MOST_ASKED):
            some = cards[at : at + MOST_ASKED]
            for card, is_listed in zip(some, await self._presence.are_listed(some), strict=True):
                if not is_listed:
                    self._departed(card)
        self._announce_more(list(self._sated))

    async def _round(self) -> None:
        self._ticks += 1
        await self.tick(with_count=self._ticks % COUNT_TICKS == 0)

    async def tick(self, *, with_count: bool) -> None:
        """Sends each user what is new for them, in one frame."""
        if not self._pending and not (with_count and self._viewers):
            return
        online = await self._presence.online_users()
        pending, self._pending = self._pending, set()
        async for user_id, viewer in self._in_turn(pending):
            if not self._sockets(user_id):
                continue  # No socket has joined: kept for `join`.
            left, viewer.left = viewer.left, []
            self._send(user_id, _frame(left, viewer.knows_of_more, online))
        if with_count and online != self._told_online:
            self._told_online = online
            frames = {more: _frame([], more, online) for more in (True, False)}
            async for user_id, viewer in self._in_turn(self._viewers.keys() - pending):
                self._send(user_id, frames[viewer.knows_of_more])

    async def _in_turn(self, user_ids: Iterable[str]) -> AsyncIterator[tuple[str, Viewer]]:
        """Yields the users who are still watching, with pauses: thousands of frames take a while, and a ring
        must not wait for all of them.
        """
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
