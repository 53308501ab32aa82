"""A TCP proxy with switchable faults: refused, reset or silent connections, for any protocol.

    with FaultProxy("/run/redis.sock") as proxy:          # or ("127.0.0.1", 5432)
        url = f"redis://127.0.0.1:{proxy.port}"
        with proxy.fault("silent"):
            …

It runs on its own thread and event loop, so that a blocking call of a test cannot stop it. Every control
returns once it is in force.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Literal, Self

from tests.support.listeners import stop_listening

Target = str | tuple[str, int]
# refused: the process is gone. reset: something on the way rejects. silent: packets are dropped, in both
# directions and for new connections. deaf: new connections work, open ones stall. unreachable: as silent, and
# a new connection is not even accepted.
Fault = Literal["refused", "reset", "silent", "deaf", "unreachable"]
FAULTS: tuple[Fault, ...] = ("refused", "reset", "silent", "deaf", "unreachable")
CHUNK = 64 * 1024
CONTROL_SECONDS = 10
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Joint:
    """A client's connection and the corresponding one to the server."""

    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self.writers = list(writers)
        self.is_flowing = asyncio.Event()
        self.is_flowing.set()
        self.answers = asyncio.Event()
        self.answers.set()

    async def pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *gates: asyncio.Event
    ) -> int:
        """Returns at the end of the stream; while a gate is closed, not even the end is passed on."""
        passed = 0
        while data := await reader.read(CHUNK):
            for gate in gates:
                await gate.wait()
            writer.write(data)
            await writer.drain()
            passed += len(data)
        for gate in gates:
            await gate.wait()
        return passed

    def close(self, *, reset: bool) -> None:
        for writer in self.writers:
            if reset:
                _reset_on_close(writer)
            writer.transport.abort() if reset else writer.close()

    async def closed(self) -> None:
        """Returns when nothing is left to be written, which a client that does not read delays."""
        await asyncio.gather(*(writer.wait_closed() for writer in self.writers), return_exceptions=True)


class FaultProxy:
    """New connections lead to `target`, which may change. With `tls`, clients use TLS to the proxy; the
    server behind it does not.
    """

    def __init__(self, target: Target, tls: ssl.SSLContext | None = None) -> None:
        self.target, self._tls = target, tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._backlog: list[socket.socket] = []
        self._joints: dict[Joint, None] = {}  # In order of arrival.
        self._serving: set[asyncio.Task[None]] = set()  # The loop itself does not keep tasks.
        self._fault: Fault | None = None
        self.port = 0
        self.accepted = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._thread.start()
        self._run(self._listen())

    def stop(self) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CONTROL_SECONDS)
        self._loop.close()

    @property
    def open_connections(self) -> int:
        return len(self._joints)

    @contextmanager
    def fault(self, fault: Fault, *, lost: bool = False) -> Iterator[None]:
        """Applies a fault during the block; then `heal`."""
        self.begin(fault)
        try:
            yield
        finally:
            self.heal(lost=lost)

    def begin(self, fault: Fault) -> None:
        self._run(self._begin(fault))

    def heal(self, *, lost: bool = False) -> None:
        """New connections work. Delayed data is delivered now, or with `lost` its connections are reset."""
        self._run(self._heal(lost))

    def cut(self, *, reset: bool = True) -> None:
        """Ends all open connections, by a reset or in order; new connections work."""
        self._run(self._cut(reset))

    def hold_answers(self, *numbers: int, is_held: bool = True) -> None:
        """Passes on what clients send but holds the answers on the connections open now. `numbers` selects
        some of them, 0 is the oldest.
        """
        self._run(self._hold_answers(numbers, is_held))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(CONTROL_SECONDS)

    # -- on the loop of the thread --

    async def _listen(self, backlog: int = 128) -> None:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        self._server = await asyncio.start_server(
            self._accept, sock=listening, backlog=backlog, ssl=self._tls
        )

    async def _begin(self, fault: Fault) -> None:
        self._fault = fault
        if fault in ("refused", "unreachable"):
            await self._close_server()
        if fault == "unreachable":
            self._fill_backlog()
        if fault in ("refused", "reset"):
            await self._cut(fault == "reset")
        else:
            for joint in self._joints:
                joint.is_flowing.clear()

    async def _heal(self, lost: bool) -> None:
        for one in self._backlog:
            one.close()
        self._backlog.clear()
        self._fault = None
        if lost:
            await self._cut(True)
        if self._server is None:
            await self._listen()
        for joint in self._joints:
            joint.is_flowing.set()

    async def _cut(self, reset: bool) -> None:
        for joint in list(self._joints):
            joint.close(reset=reset)
        self._joints.clear()

    async def _hold_answers(self, numbers: Sequence[int], is_held: bool) -> None:
        for joint in [one for at, one in enumerate(self._joints) if not numbers or at in numbers]:
            joint.answers.clear() if is_held else joint.answers.set()

    async def _close_server(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            await stop_listening(server)

    def _fill_backlog(self) -> None:
        """Linux drops the first packet of a connection if the accept queue is full."""
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        listening.listen(0)
        self._backlog = [listening]
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", self.port))
            self._backlog.append(one)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self.accepted += 1
        joint = Joint(writer)
        try:
            await self._serve(joint, reader, writer)
            self._joints.pop(joint, None)
            await joint.closed()
        except asyncio.CancelledError:
            joint.close(reset=True)  # Cancelled by `stop`; asyncio's streams would log it.
        finally:
            self._serving.discard(task)
            self._joints.pop(joint, None)

    async def _serve(self, joint: Joint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._fault == "reset":
            joint.close(reset=True)
            return
        if self._fault in ("silent", "unreachable"):
            joint.is_flowing.clear()
        self._joints[joint] = None
        await joint.is_flowing.wait()
        await self._join(joint, reader, writer)

    async def _join(self, joint: Joint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            far_reader, far_writer = await _connect(self.target)
            joint.writers.append(far_writer)
            there = asyncio.ensure_future(joint.pump(reader, far_writer, joint.is_flowing))
            back = asyncio.ensure_future(joint.pump(far_reader, writer, joint.is_flowing, joint.answers))
            try:
                await asyncio.wait([there, back], return_when=asyncio.FIRST_COMPLETED)
            finally:
                there.cancel()
                back.cancel()
                await asyncio.gather(there, back, return_exceptions=True)
        joint.close(reset=False)

    async def _stop(self) -> None:
        await self._close_server()
        for one in self._backlog:
            one.close()
        working = asyncio.all_tasks() - {asyncio.current_task()}
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        await asyncio.sleep(0)  # The loop releases aborted connections in its next round.


async def _connect(target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(target, str):
        return await asyncio.open_unix_connection(target)
    return await asyncio.open_connection(*target)


def _reset_on_close(writer: asyncio.StreamWriter) -> None:
    found = writer.get_extra_info("socket")
    if found is not None and found.family != socket.AF_UNIX:
        with suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
