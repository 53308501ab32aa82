"""The output of connections: what is sent while one read is handled goes out in one write per connection.

A write is a system call, which would otherwise be most of the cost of a relayed message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar


class Output:
    """What one connection sends. `on_too_slow` is called when more than `max_waiting` bytes wait for the
    client after a write.
    """

    # Between `hold` and `release`: the connections with output.
    _held: ClassVar[list[Output] | None] = None

    def __init__(self, max_waiting: int, on_too_slow: Callable[[], None]) -> None:
        self._max_waiting, self._on_too_slow = max_waiting, on_too_slow
        self._transport: asyncio.Transport | None = None
        self._parts: list[bytes] = []

    @classmethod
    def hold(cls) -> None:
        """Collects the output of all connections until `release`."""
        cls._held = []

    @classmethod
    def release(cls) -> None:
        """Writes what was collected, once per connection."""
        held, cls._held = cls._held or (), None
        for one in held:
            one.flush()

    def open(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def close(self) -> None:
        """Drops what is collected; nothing more is written."""
        self._transport = None
        self._parts.clear()

    def write(self, data: bytes) -> None:
        """Sends `data`, now or at `release`. Does nothing without a connection."""
        held = Output._held
        if held is None:
            self._write(data)
        else:
            if not self._parts:
                held.append(self)
            self._parts.append(data)

    def flush(self) -> None:
        """Writes what was collected for this connection."""
        parts = self._parts
        if parts:
            self._parts = []
            self._write(parts[0] if len(parts) == 1 else b"".join(parts))

    def _write(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or not data:
            return
        transport.write(data)
        if transport.get_write_buffer_size() > self._max_waiting:
            self._on_too_slow()
