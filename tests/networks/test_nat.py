"""Calls between two homes, by what their routers do with addresses."""

from __future__ import annotations

from tests.journeys.people.visitor import until
from tests.journeys.stage import Stage, journey
from tests.networks.neighbourhood import Home
from tests.networks.people import couple, way_of


@journey
async def test_a_direct_call(stage: Stage, code: str, homes: list[Home]) -> None:
    anna, ben = await couple(stage, code)
    for one in (anna, ben):
        await until(lambda one=one: way_of(one), lambda way: way[2] == "udp" and "relay" not in way[:2], 10)
    print(await way_of(anna), await way_of(ben))
