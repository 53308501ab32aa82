"""The sockets as the hub needs them. The handlers that implement them are above it."""

from __future__ import annotations

from typing import Protocol

from models.calls.state import Side
from models.errors import Problem
from models.messages import Access


class OpenSocket(Protocol):
    """A connection of either kind, including one that was refused and is closing."""

    id: str

    @property
    def user_id(self) -> str: ...

    @property
    def session_id(self) -> str: ...

    def close(self, code: int | None = None, reason: str | None = None) -> None: ...


class Refusable(OpenSocket, Protocol):
    """A socket that was opened by a member; `refuse` closes it with the code of a Problem."""

    def refuse(self, problem: Problem) -> None: ...


class UserSocket(Refusable, Protocol):
    """An invite socket of a user."""

    is_joined: bool

    def send(self, frame: bytes) -> None: ...

    def sign_out(self, reason: str) -> None: ...

    def receive_ban(self, frame: bytes) -> None: ...

    def access_changed(self, access: Access) -> None: ...

    async def unlist(self) -> None: ...

    async def send_state(self) -> None: ...


class Seat(Refusable, Protocol):
    """A relay socket: one side of a call."""

    call_id: str
    side: Side
    # The other side's socket, if it is in this process; set by the hub.
    peer: Seat | None

    def send(self, frame: bytes, once: str | None = None) -> None: ...

    def send_last(self, frame: bytes, code: int) -> None: ...

    def replace(self) -> None: ...

    async def keep_seat(self) -> None: ...
