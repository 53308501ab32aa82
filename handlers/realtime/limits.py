"""Limits on open sockets per user and per address in this process.

A socket over the limit is refused (4429) before anything is looked up, and a closed socket no longer counts.
Addresses are kept only while their sockets are open.
"""

from __future__ import annotations

from collections import Counter

from models.errors import AddressLimit, TooMany
from models.settings.config import Config

CLOSE_A_TAB = "Too many connections are open. Close a tab and try again."


class SocketLimits:
    def __init__(self, config: Config) -> None:
        self._most = {"person": config.sockets_per_person, "address": config.sockets_per_address}
        self._open: Counter[tuple[str, str]] = Counter()
        self._marks: dict[str, list[tuple[str, str]]] = {}

    def enter(self, socket_id: str, user_id: str, address: str) -> None:
        """Raises: TooMany, and does not count the socket then. `user_id` is empty without a user."""
        marks = [("address", address)] + ([("person", user_id)] if user_id else [])
        full = [kind for kind, who in marks if self._open[kind, who] >= self._most[kind]]
        if "person" in full:
            raise TooMany(CLOSE_A_TAB)
        if full:
            raise AddressLimit("sockets", CLOSE_A_TAB)
        self._open.update(marks)
        self._marks[socket_id] = marks

    def leave(self, socket_id: str) -> None:
        """Does nothing for a socket that was refused or has left already."""
        for mark in self._marks.pop(socket_id, ()):
            self._open[mark] -= 1
            if self._open[mark] == 0:
                del self._open[mark]

    @property
    def open(self) -> int:
        return len(self._marks)
