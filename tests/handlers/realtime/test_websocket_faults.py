"""A client that is gone before the 101, and a handler whose awaited future was cancelled."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest

from handlers.ringing.invites import InviteSocket
from models.security.member import Member
from tests.conftest import MakePerson, Running
from tests.support.raw.socket import HEAD, RawSocket, text
from tests.support.scenes import until


async def test_a_client_that_is_gone_before_the_101_leaves_no_trace(
    site: Running, person: MakePerson, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The end is found by the read of what came with the request, not before."""
    anna, done = await person("Anna"), asyncio.Event()
    client = socket.create_connection(("localhost", site.config.port))
    of, on_finish = site.models.admission.of, InviteSocket.get

    async def gone(token: str | None) -> tuple[Member | None, object]:
        found = await of(token)
        client.close()
        return found

    async def get(self: InviteSocket, *args: str, **kwargs: str) -> None:
        try:
            await on_finish(self, *args, **kwargs)
        finally:
            done.set()

    monkeypatch.setattr(site.models.admission, "of", gone)
    monkeypatch.setattr(InviteSocket, "get", get)
    client.sendall(HEAD.format(path="/ws/invites", token=anna.token, headers="").encode())
    await asyncio.wait_for(done.wait(), 5)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not site.site.hub.sockets


@pytest.mark.parametrize("where", ["opened", "on_message"])
async def test_a_cancelled_future_ends_the_connection_with_1011(
    site: Running,
    person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    where: str,
) -> None:
    """Without that, the socket would stay open and never read again."""

    async def cancelled(*_: object) -> None:
        shared: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        shared.cancel()
        await shared

    monkeypatch.setattr(InviteSocket, where, cancelled)
    raw = await RawSocket.open(site.config.port, "/ws/invites", (await person("Anna")).token)
    raw.send(text({"type": "ping", "id": "1"}))
    assert await raw.close_code() == 1011
    await raw.ended()
    raw.close()
    await until(lambda: not site.site.hub.sockets)
    assert "a socket failed" in caplog.text
    caplog.clear()
