"""A home with IPv6 only calls a home with IPv4 only: through the relay, which has both."""

from __future__ import annotations

import asyncio

import pytest

from tests.journeys.stage import Stage, journey
from tests.networks import probes
from tests.networks.neighbourhood import SITE, SITE_6, Home
from tests.networks.people import couple, way_of
from tests.networks.site import PORT
from tests.webrtc.callers import hang_up


@pytest.fixture
def families() -> tuple[int, int]:
    return 6, 4


@pytest.mark.prove
@journey
async def test_ipv6_calls_ipv4(stage: Stage, code: str, homes: list[Home], families: tuple[int, int]) -> None:
    for home, family in zip(homes, families, strict=True):
        assert probes.reaches(home, PORT, SITE_6) == (family == 6)
        assert probes.reaches(home, PORT, SITE) == (family == 4)
    anna, ben = await couple(stage, code)
    assert (await way_of(anna))[0] == "relay"
    await asyncio.gather(anna.visitor.sees_video(), ben.visitor.sees_video())
    await hang_up(anna, ben)
