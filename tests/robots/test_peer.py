"""Two robots' connections, negotiated as the protocol says, over this machine's own addresses."""

from __future__ import annotations

import asyncio
import os
import time

import pytest
from aiortc.mediastreams import MediaStreamTrack

from robots.client import SiteMessage
from robots.peer import Peer
from robots.portraits import look_of
from robots.tracks import Pictures, PortraitTrack, VoiceTrack

PICTURES = Pictures(look_of(0, "female"), "Mira, robot")


def tracks() -> tuple[MediaStreamTrack, MediaStreamTrack]:
    return VoiceTrack(180, time.monotonic()), PortraitTrack(PICTURES, time.monotonic())


class Pair:
    """Two peers whose messages arrive in order."""

    def __init__(self) -> None:
        self.queues: dict[bool, asyncio.Queue[SiteMessage]] = {True: asyncio.Queue(), False: asyncio.Queue()}
        self.polite, self.other = (
            Peer(self.queues[not is_polite].put, tracks, [], is_polite=is_polite)
            for is_polite in (True, False)
        )
        self.tasks = [
            asyncio.create_task(self.deliver(is_polite, peer))
            for is_polite, peer in ((True, self.polite), (False, self.other))
        ]

    async def deliver(self, is_polite: bool, peer: Peer) -> None:
        while True:
            await peer.receive(await self.queues[is_polite].get())

    async def media_flows(self) -> None:
        async with asyncio.timeout(20):
            await asyncio.gather(self.polite.flow.both.wait(), self.other.flow.both.wait())

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(self.polite.close(), self.other.close())


async def test_picture_and_voice_flow_both_ways() -> None:
    pair = Pair()
    await pair.polite.offer()
    await pair.media_flows()
    assert not pair.polite.leads
    await pair.close()


async def test_a_server_with_an_ipv6_address_keeps_no_call_from_being_made() -> None:
    offers: asyncio.Queue[SiteMessage] = asyncio.Queue()
    servers = [{"urls": ["turn:[::1]:9?transport=tcp"], "username": "u", "credential": "c"}]
    peer = Peer(offers.put, tracks, servers, is_polite=True)
    try:
        await peer.offer()
        assert (await offers.get())["type"] == "rtc:offer"
    finally:
        await peer.close()


async def test_two_offers_at_once_end_in_one_connection() -> None:
    pair = Pair()
    await asyncio.gather(pair.polite.offer(), pair.other.offer())
    await pair.media_flows()
    await pair.close()


async def test_an_offer_of_an_older_attempt_is_ignored() -> None:
    pair = Pair()
    await pair.polite.offer()
    await pair.media_flows()
    await pair.polite.receive({"type": "rtc:offer", "sdp": "v=0", "attempt": 1})
    assert pair.polite.flow.both.is_set()
    await pair.close()


async def test_a_candidate_that_cannot_be_read_does_no_harm() -> None:
    pair = Pair()
    await pair.polite.offer()
    await pair.polite.receive({"type": "rtc:ice", "candidate": {"candidate": "candidate:nonsense"}})
    await pair.media_flows()
    await pair.close()


def open_sockets() -> int:
    return sum("socket:" in os.readlink(f"/proc/self/fd/{name}") for name in descriptors())


def descriptors() -> list[str]:
    """Those of this process, but not that of the listing itself."""
    return [name for name in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{name}")]


@pytest.mark.parametrize("what", ["offer", "close"])
async def test_no_socket_is_left_whenever_it_is_cancelled(what: str) -> None:
    before = open_sockets()
    for rounds in range(12):
        peer = Peer(asyncio.Queue[SiteMessage]().put, tracks, [], is_polite=True)
        if what == "close":
            await peer.offer()
        work = asyncio.create_task(getattr(peer, what)())
        for _ in range(rounds):
            await asyncio.sleep(0)
        work.cancel()
        await asyncio.gather(work, peer.close(), return_exceptions=True)
        assert open_sockets() == before, rounds
