"""Messages returned back and forth between the two seats of each pair as soon as they arrive.

One message under way per pair is a trickle, each a read and a write of its own; a hundred are a burst. All
messages of one read are returned in one write, so the client costs little. At the end all of them must have
arrived: a lost one fails the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bench.client.connections import WireSocket
from bench.client.message_counter import Catcher, Expected
from bench.progress import Progress

STEPS = 20


class Player(Catcher):
    """Returns messages until `last`; then waits for the rest of them."""

    count = 0
    last: Expected | None = None

    def caught(self, count: int) -> None:
        self.count += count
        if self.last is None:
            self.throw(count)
        else:
            self.last.came(count)


async def rally(
    pairs: Sequence[tuple[WireSocket, WireSocket]], frame: bytes, in_flight: int, seconds: float, label: str
) -> int:
    """The number of messages relayed."""
    players = [Player(socket, frame) for pair in pairs for socket in pair]
    for at, player in enumerate(players):
        player.throw((in_flight + 1 - at % 2) // 2)
    with Progress(label, STEPS) as progress:
        for _ in range(STEPS):
            await asyncio.sleep(seconds / STEPS)
            progress.step()
    last = Expected(in_flight * len(pairs))
    for player in players:
        player.last = last
    await last.all()
    return sum(player.count for player in players)
