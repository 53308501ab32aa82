"""The order of `state` and events on one invite socket.

An event is not sent before a `state` that contradicts it, nor after a `state` that contains it. Before the
first `state`, events wait.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from models import messages
from models.messages import StateMessage

# The most reads for one `state`; during the last one, events wait.
MOST_LOOKS = 4
MOST_HELD = 256
# Events whose content is contained in every `state` that is read later.
IN_STATE = frozenset({
    "queue:state", "call:notify", "call:ringing", "call:wait-extended", "call:cancelled", "call:declined",
    "call:answered", "access:changed",
})  # fmt: skip


class StateOrder:
    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._count = 0
        # Events that wait; None if they can be sent at once.
        self._held: list[bytes] | None = []

    @property
    def is_opening(self) -> bool:
        """Whether no `state` has been sent yet."""
        return self._held is not None

    def push(self, frame: bytes) -> None:
        """Sends an event, or holds it until `state` has been sent."""
        self._count += 1
        if self._held is None:
            self._write(frame)
        elif len(self._held) < MOST_HELD:
            self._held.append(frame)

    async def show(self, look: Callable[[], Awaitable[StateMessage | None]]) -> None:
        """Reads a `state` and sends it; reads again if an event arrived during the read. Not concurrently."""
        is_first = self.is_opening
        try:
            state, older = await self._read(look)
        except BaseException:
            if not is_first:
                self._let_go(0)
            raise
        if state is not None:
            self._write(messages.encode(state))
            self._let_go(older)

    async def _read(
        self, look: Callable[[], Awaitable[StateMessage | None]]
    ) -> tuple[StateMessage | None, int]:
        """The state, and how many of the waiting events arrived before it was read."""
        for number in range(1, MOST_LOOKS + 1):
            if number == MOST_LOOKS and self._held is None:
                self._held = []
            count, older = self._count, len(self._held or ())
            state = await look()
            if state is None or count == self._count:
                break
        return state, older

    def _let_go(self, older: int) -> None:
        waiting, self._held = self._held or [], None
        for number, frame in enumerate(waiting):
            if number >= older or messages.head(frame).type not in IN_STATE:
                self._write(frame)
