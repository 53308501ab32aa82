"""Calls through a real coturn in two real browsers, and what a user sees if no route exists."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Route, expect

from models.calls.turn import credential
from tests.journeys.people.visitor import until
from tests.journeys.stage import Stage, journey
from tests.turn.coturn import LOOPBACK, SECRET, Coturn, Tls
from tests.webrtc.callers import Caller, couple, hang_up, pair, ring

Answering = Callable[[Route], Awaitable[None]]
NO_WAY = "No way through this network was found"
MESSAGE_SECONDS = 8
SELECTED = """async () => {
  const stats = await napalmCall.pc.getStats();
  const transport = [...stats.values()].find(({type}) => type === 'transport');
  const pair = stats.get(transport.selectedCandidatePairId);
  const [local, remote] = [stats.get(pair.localCandidateId), stats.get(pair.remoteCandidateId)];
  return {local: local.candidateType, remote: remote.candidateType, by: local.relayProtocol};
}"""


async def way_of(one: Caller) -> dict[str, Any]:
    """The selected candidate pair: the kind of both ends, and how coturn is reached."""
    return dict(await one.run(SELECTED))


async def goes_by(one: Caller, *protocols: str) -> None:
    """Relays at both ends. One that a check told of first is peer reflexive until its signal comes."""
    wanted = [{"local": "relay", "remote": "relay", "by": protocol} for protocol in protocols]
    await until(lambda: way_of(one), lambda way: way in wanted, 10)


async def shown_video(*people: Caller) -> None:
    await asyncio.gather(*(one.visitor.sees_video() for one in people))


@journey
async def test_relay_only_goes_through_coturn_both_ways(stage: Stage, turn_port: int, tmp_path: Path) -> None:
    with Coturn(tmp_path, LOOPBACK, port=turn_port):
        anna, ben = await couple(stage)
        await shown_video(anna, ben)
        for one in (anna, ben):
            await goes_by(one, "udp", "tcp")
            candidates = [text for message in await one.sent("rtc:ice") for text in texts_of(message)]
            assert candidates
            assert all(" typ relay" in text for text in candidates if text)
        await hang_up(anna, ben)
    log = stage.server.log.read_text()
    assert "Napalm Sky is up" in log
    # The start line names the operator's own TURN server.
    log = "\n".join(line for line in log.splitlines() if '"message": "started"' not in line)
    assert not re.findall(r"\b\d+\.\d+\.\d+\.\d+\b|candidate|(?:call|check)-[0-9a-f]{16}", log)


def texts_of(message: dict[str, Any]) -> list[str]:
    return [one["candidate"] for one in message.get("candidates", [message.get("candidate")])]


@journey
async def test_with_udp_blocked_it_goes_over_tcp(stage: Stage, turn_port: int, tmp_path: Path) -> None:
    await goes_only_by("tcp", stage, Coturn(tmp_path, LOOPBACK, port=turn_port, options=("--no-udp",)))


@journey
async def test_with_tcp_blocked_it_goes_over_udp(stage: Stage, turn_port: int, tmp_path: Path) -> None:
    await goes_only_by("udp", stage, Coturn(tmp_path, LOOPBACK, port=turn_port, options=("--no-tcp",)))


@journey
async def test_where_only_tls_gets_through_it_goes_over_tls(
    stage: Stage, turn_port: int, tls_port: int, tmp_path: Path
) -> None:
    tls, blocked = Tls(tmp_path, tls_port), ("--no-udp", "--no-tcp")
    await goes_only_by("tls", stage, Coturn(tmp_path, LOOPBACK, port=turn_port, tls=tls, options=blocked))


async def goes_only_by(protocol: str, stage: Stage, coturn: Coturn) -> None:
    with coturn:
        anna, ben = await couple(stage)
        await shown_video(anna, ben)
        for one in (anna, ben):
            await goes_by(one, protocol)
        await hang_up(anna, ben)


async def told_that_there_is_no_way(stage: Stage, credentials: Answering | None = None) -> None:
    """Both, within eight seconds of landing on the call's page."""
    anna, ben = await pair(stage)
    for one in (anna, ben) if credentials else ():
        await answer_credentials(one, credentials)
    await ring(anna, ben)
    landed = time.monotonic()
    for one in (anna, ben):
        left = MESSAGE_SECONDS - (time.monotonic() - landed)
        await expect(one.page.locator("#call-words")).to_contain_text(NO_WAY, timeout=left * 1000)
    await hang_up(anna, ben)


async def answer_credentials(one: Caller, answering: Answering) -> None:
    """Answers the page's requests for credentials; the page has none in it."""

    async def without_servers(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(
            response=answer, body=re.sub(r' data-ice-servers="[^"]*"', "", await answer.text())
        )

    await one.page.route("**/calls/*", without_servers)
    await one.page.route("**/turn/credentials*", answering)


@pytest.mark.prove
@journey
async def test_turn_that_is_not_there_is_told_in_time(stage: Stage) -> None:
    await told_that_there_is_no_way(stage)


@journey
async def test_turn_with_another_secret_is_told_in_time(stage: Stage, turn_port: int, tmp_path: Path) -> None:
    with Coturn(tmp_path, LOOPBACK, port=turn_port, secret="quite another secret"):
        await told_that_there_is_no_way(stage)


async def answered(route: Route, seconds: int, ttl: int) -> None:
    """Credentials that end in so many seconds from now, made with the right secret."""
    answer = await route.fetch()
    body = await answer.json()
    for server in body.get("iceServers", ()):  # An error, if the call has ended.
        server["username"] = f"{int(time.time()) + seconds}:call-journey"
        server["credential"] = credential(SECRET, server["username"])
    await route.fulfill(response=answer, json=body | {"ttl": ttl})


@journey
async def test_expired_credentials_are_told_in_time(stage: Stage, turn_port: int, tmp_path: Path) -> None:
    with Coturn(tmp_path, LOOPBACK, port=turn_port):
        await told_that_there_is_no_way(stage, lambda route: answered(route, seconds=-1, ttl=3600))


@pytest.mark.prove
@journey
async def test_a_restart_after_the_credentials_have_ended_brings_the_call_back(
    stage: Stage, turn_port: int, tmp_path: Path
) -> None:
    """coturn is gone and comes back: its allocations are lost, and the first credentials have ended."""
    asked: list[str] = []

    async def short(route: Route) -> None:
        asked.append(route.request.url)
        await answered(route, seconds=4, ttl=4)

    with Coturn(tmp_path, LOOPBACK, port=turn_port) as coturn:
        anna, ben = await pair(stage)
        for one in (anna, ben):
            await answer_credentials(one, short)
        await ring(anna, ben)
        await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())
        before = len(asked)
        coturn.stop()
        await asyncio.gather(*(one.shows("#call", "data-flow", "no") for one in (anna, ben)))
        coturn.start()
        await asyncio.gather(*(one.shows("#call", "data-flow", "yes", 30) for one in (anna, ben)))
        await shown_video(anna, ben)
        assert len(asked) >= before + 2
        await goes_by(anna, "udp", "tcp")
        await hang_up(anna, ben)
