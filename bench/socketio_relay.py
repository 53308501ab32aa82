"""The relay for comparison: plain socket.io on Node, and a client that speaks its framing.

Engine.IO 4 over one WebSocket, Socket.IO 5 inside it: `0{…}` open, `40` connect, `42["name",data]` event, `2`
and `3` ping and pong. Node and npm are needed only here; without them, or without the packages, it is left
out.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.client.connections import WireSocket

PLACE = Path(__file__).with_name("socketio")
DOOR = "/socket.io/?EIO=4&transport=websocket&room="


@dataclass(frozen=True)
class SocketIo:
    pid: int
    port: int

    async def pair(self, room: int) -> tuple[WireSocket, WireSocket]:
        """Two sockets in a room of their own."""
        one, other = [await SocketIoSocket.open(self.port, f"{DOOR}{room}", "") for _ in range(2)]
        await one.receive("joined")
        await other.receive("joined")
        return one, other


class SocketIoSocket(WireSocket):
    """`receive(name)` waits for an event; pings are answered."""

    def _deliver(self, payload: bytes) -> None:
        if payload.startswith(b"42"):
            self._hear(payload[4 : payload.index(b'"', 4)].decode(), payload)
        elif payload.startswith(b"0"):
            self.send_frame(b"40")
        elif payload == b"2":
            self.send_frame(b"3")


@contextmanager
def socketio_relay() -> Iterator[SocketIo | None]:
    """The relay; None, and a printed reason, where it is not available."""
    lacking = _lacking()
    if lacking:
        print(f"\nsocket.io is left out: {lacking}.")
        yield None
        return
    with subprocess.Popen(["node", "call/relay.js"], cwd=PLACE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield SocketIo(process.pid, int(process.stdout.readline()))
        finally:
            process.terminate()


def _lacking() -> str:
    """Why it cannot run; empty if it can. Downloads the packages the first time."""
    if not (shutil.which("node") and shutil.which("npm")):
        return "Node and npm are not here"
    if (PLACE / "node_modules" / "socket.io").exists():
        return ""
    asked = ["npm", "ci", "--silent", "--no-audit", "--no-fund"]
    done = subprocess.run(asked, cwd=PLACE, check=False, capture_output=True, text=True)
    return "" if done.returncode == 0 else f"npm ci failed ({done.stderr.strip()[-200:]})"
