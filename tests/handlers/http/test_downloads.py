"""Downloads to clients that stop reading: no other request waits for them, and they are disconnected."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from handlers.http import downloads
from models.wiring import Models
from tests.conftest import MakePerson, Person, Running
from tests.support.scenes import until

# More than the buffers of a loopback connection hold.
SIZE = 24 * 1024 * 1024


@dataclass
class Stopped:
    """A client that has read the headers and stops."""

    reader: asyncio.StreamReader
    headers: bytes

    @property
    def length(self) -> int:
        found = re.search(rb"content-length: (\d+)", self.headers.lower())
        assert found
        return int(found[1])

    async def rest(self) -> int:
        """Reads to the end of the connection; returns the number of bytes."""
        count = 0
        while chunk := await self.reader.read(1 << 20):
            count += len(chunk)
        return count


@asynccontextmanager
async def stopped(site: Running, method: str, path: str, token: str) -> AsyncIterator[Stopped]:
    at = urlsplit(site.base_url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port, limit=1 << 14)
    headers = f"Host: {at.netloc}\r\nAuthorization: Bearer {token}\r\nContent-Length: 0"
    writer.write(f"{method} {path} HTTP/1.1\r\n{headers}\r\n\r\n".encode())
    yield Stopped(reader, await reader.readuntil(b"\r\n\r\n"))
    writer.close()


async def long_life(models: Models, person: Person) -> str:
    """The id of a video of the maximum length."""
    async with models.db.transaction() as on:
        return await models.media.save(person.user_id, "video", "video/webm", bytes(SIZE), on=on)


async def test_two_stalled_clients_delay_no_other_export(site: Running, person: MakePerson) -> None:
    people = [await person(name, selfie=False) for name in ("Ann", "Bo", "Cy")]
    async with AsyncExitStack() as open_still:
        for one in people[:2]:
            await long_life(site.models, one)
            held = await open_still.enter_async_context(stopped(site, "POST", "/settings/export", one.token))
            assert held.headers.startswith(b"HTTP/1.1 200")
            assert held.length > SIZE
        assert (await site.client.post("/settings/export", token=people[2].token)).status == 200


@pytest.mark.parametrize("kind", ["export", "media"])
async def test_a_stalled_client_is_disconnected(
    site: Running, person: MakePerson, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(downloads, "CHUNK_SECONDS", 0.3)
    ann = await person("Ann")
    media_id = await long_life(site.models, ann)
    method, path = ("POST", "/settings/export") if kind == "export" else ("GET", f"/media/{media_id}")
    async with stopped(site, method, path, ann.token) as held:
        await until(lambda: site.site.requests.is_idle)
        assert await held.rest() < held.length


async def test_a_slow_client_gets_the_whole_file(site: Running, person: MakePerson) -> None:
    ann = await person("Ann")
    media_id = await long_life(site.models, ann)
    async with stopped(site, "GET", f"/media/{media_id}", ann.token) as held:
        count = 0
        while count < held.length:
            count += len(await held.reader.read(1 << 14))
        assert count == held.length == SIZE
