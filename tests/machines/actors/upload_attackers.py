"""Attackers by uploads: `python -m tests.machines.actors.upload_attackers PORT SECONDS TOKEN…`.

Each token attacks in every way again and again until the time is over; it connects to loopback only.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time

from tests.handlers.base.test_uploads import png_bomb
from tests.machines.actors.tally import attack, note, tell
from tests.support.clients import Client
from tests.support.media.bombs import HUNGRY_VIDEOS, many_scans
from tests.support.media.clips import clip

MEGABYTE = 2**20
ANSWERS = {201, 401, 413, 415, 422, 429, 503}


def files() -> list[tuple[str, bytes]]:
    """The most expensive files, as (field, bytes)."""
    return [
        ("selfie", many_scans(1400, (8000, 5000))), ("selfie", many_scans(32, (6300, 6300))),
        ("selfie", png_bomb(6300, 6300)), *[("video", one) for one in HUNGRY_VIDEOS.values()],
        ("video", clip("mp4", "libx264", "aac", seconds=30, size=(640, 480), rate=30)),
    ]  # fmt: skip


async def uploads(client: Client, token: str, made: list[tuple[str, bytes]], until: float) -> None:
    attack.set("uploads")
    while time.monotonic() < until:
        for field, data in made:
            answer = await client.upload(f"/media/{field}", field, data, token=token)
            assert answer.status in ANSWERS, answer
            note(str(answer.status))


async def stalls(port: int, token: str, until: float) -> None:
    """Sixty bodies whose last byte does not arrive; each is held until the server ends it, 5 s at most."""
    attack.set("stalls")
    while time.monotonic() < until:
        wires = [await asyncio.open_connection("localhost", port) for _ in range(60)]
        note("connections", len(wires))
        for _, writer in wires:
            writer.write(head(token, 8 * MEGABYTE) + bytes(7 * MEGABYTE))
        told = [asyncio.ensure_future(reader.read()) for reader, _ in wires]
        refused, held = await asyncio.wait(told, timeout=5)
        note("refused", len(refused))
        note("held", len(held))
        for _, writer in wires:
            writer.transport.abort()
        await asyncio.gather(*told, return_exceptions=True)


async def floods(port: int, token: str, until: float) -> None:
    """Bodies that are far too long, with a token and without one."""
    attack.set("floods")
    while time.monotonic() < until:
        for one in (token, "nobody"):
            _, writer = await asyncio.open_connection("localhost", port)
            note("connections")
            writer.write(head(one, 300 * MEGABYTE))
            with contextlib.suppress(ConnectionError):
                for _ in range(300):
                    writer.write(bytes(MEGABYTE))
                    await writer.drain()
                    note("bytes", MEGABYTE)
            writer.transport.abort()
            await asyncio.sleep(0.5)


def head(token: str, length: int) -> bytes:
    lines = [
        "POST /media/selfie HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}",
        "Content-Type: multipart/form-data; boundary=x", f"Content-Length: {length}",
    ]  # fmt: skip
    part = '--x\r\nContent-Disposition: form-data; name="selfie"\r\n\r\n'
    return ("\r\n".join(lines) + "\r\n\r\n" + part).encode()


async def main(port: int, seconds: float, tokens: list[str]) -> None:
    made = files()  # First: it takes seconds, in which nothing would be sent.
    until, client = time.monotonic() + seconds, Client(f"http://localhost:{port}")
    await asyncio.gather(
        *(uploads(client, token, made, until) for token in tokens),
        stalls(port, tokens[0], until),
        floods(port, tokens[0], until),
    )
    client.close()
    tell()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
