"""The way of a call through the routers of two homes. Each test first proves what the network does."""

from __future__ import annotations

import asyncio

import pytest

from tests.journeys.people.visitor import until
from tests.journeys.stage import Stage, journey
from tests.networks import probes
from tests.networks.neighbourhood import SYMMETRIC, TURN, Home
from tests.networks.people import couple, losses, way_of
from tests.networks.site import TURN_PORT
from tests.webrtc.callers import Caller, hang_up

NO_UDP = "meta l4proto udp"
# Packets from the home; answers have the other port.
ONLY_443 = (NO_UDP, 'iifname "lan" tcp dport != 443')
# Loss of all packets, in both directions.
LOSS = "numgen random mod 100 < 20"
LOST = 200


async def goes_by(one: Caller, protocol: str, *, relayed: bool) -> None:
    """A remote candidate that a check told of first is peer reflexive, so one end may hide its kind."""
    await until(lambda: way_of(one), lambda way: way[2] == protocol and ("relay" in way[:2]) == relayed, 10)


async def both_see(*people: Caller) -> None:
    await asyncio.gather(*(one.visitor.sees_video() for one in people))


@pytest.mark.prove
@journey
async def test_cone_nat_lets_a_direct_call_through(stage: Stage, code: str, homes: list[Home]) -> None:
    for home in homes:
        own, first, second = probes.ports(home)
        assert own == first == second
    anna, ben = await couple(stage, code)
    for one in (anna, ben):
        await goes_by(one, "udp", relayed=False)
    await both_see(anna, ben)
    await hang_up(anna, ben)


@pytest.mark.prove
@journey
async def test_symmetric_nat_needs_the_relay(stage: Stage, code: str, homes: list[Home]) -> None:
    for home in homes:
        home.reset(nat=SYMMETRIC)
        own, first, second = probes.ports(home)
        assert len({own, first, second}) == 3
    anna, ben = await couple(stage, code)
    ways = [await way_of(one) for one in (anna, ben)]
    assert any("relay" in way for way in ways), ways
    await both_see(anna, ben)
    await hang_up(anna, ben)


@pytest.mark.prove
@journey
async def test_without_udp_it_goes_over_tcp(stage: Stage, code: str, homes: list[Home]) -> None:
    home = homes[0]
    home.fault(NO_UDP)
    anna, ben = await couple(stage, code)
    assert home.dropped > 0
    await until(lambda: way_of(anna), lambda way: way[0] == "relay" and way[2] in ("tcp", "tls"), 10)
    await both_see(anna, ben)
    await hang_up(anna, ben)


@journey
async def test_where_only_port_443_is_open_it_goes_over_tls(
    stage: Stage, code: str, homes: list[Home]
) -> None:
    home = homes[0]
    home.fault(*ONLY_443)
    assert not probes.reaches(home, TURN_PORT, TURN)
    anna, ben = await couple(stage, code)
    assert home.dropped > 0
    await until(lambda: way_of(anna), lambda way: way[0] == "relay" and way[2] == "tls", 10)
    await both_see(anna, ben)
    await hang_up(anna, ben)


@pytest.mark.prove
@journey
async def test_with_a_fifth_of_the_packets_lost_sound_goes_on(
    stage: Stage, code: str, homes: list[Home]
) -> None:
    anna, ben = await couple(stage, code)
    before = await losses(anna)
    homes[0].fault(LOSS)
    await until(lambda: losses(anna), lambda now: now > before + LOST, 60)
    assert homes[0].dropped > LOST
    await asyncio.gather(anna.sound_flows(), ben.sound_flows())
    for one in (anna, ben):
        assert await one.page.locator("#call").get_attribute("data-flow") == "yes"
    homes[0].fault()
    await hang_up(anna, ben)


@pytest.mark.prove
@journey
async def test_packets_of_1280_bytes(stage: Stage, code: str, homes: list[Home]) -> None:
    for home in homes:
        assert not probes.is_too_long(home, 1300, seconds=0.5)
        home.reset(mtu=1280)
        assert probes.is_too_long(home, 1300)
    anna, ben = await couple(stage, code)
    await both_see(anna, ben)
    await hang_up(anna, ben)
