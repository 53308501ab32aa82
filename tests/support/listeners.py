"""The end of asyncio's TCP servers."""

from __future__ import annotations

import asyncio


async def stop_listening(server: asyncio.Server) -> None:
    """Closes the server; the connections that it has accepted stay open, and each has reached its handler.

    A connection that is accepted in the round of the loop that closes its server is lost: asyncio neither
    hands it on nor closes it. The garbage collector would find it during another test.
    """
    loop = asyncio.get_running_loop()
    for listening in server.sockets:
        loop.remove_reader(listening.fileno())
    for _ in range(3):
        await asyncio.sleep(0)
    server.close()
