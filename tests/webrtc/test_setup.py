"""How a call begins and ends: quickly, with one offer, and with nothing left open afterwards."""

from __future__ import annotations

import asyncio
import json
import math

import pytest

from tests.journeys.stage import Stage, journey
from tests.webrtc.callers import Caller, hang_up, pair, talk

BUDGET_SECONDS = 2.5
FREED = {"pcs": 0, "tracks": 0, "contexts": 0, "locks": 0}


@journey
async def test_five_calls_in_a_row_begin_in_time_and_leave_nothing_open(stage: Stage) -> None:
    await many_calls(stage, 5)


@pytest.mark.prove
@journey
async def test_fifty_calls_in_a_row_begin_in_time_and_leave_nothing_open(stage: Stage) -> None:
    await many_calls(stage, 50)


async def many_calls(stage: Stage, number: int) -> None:
    anna, ben = await pair(stage)
    seconds = [await one_call(anna, ben) for _ in range(number)]
    times = sorted(time for both in seconds for time in both)
    print(f"accept to first picture: median {times[len(times) // 2]:.2f} s, most {times[-1]:.2f} s")
    assert times[math.ceil(len(times) * 0.95) - 1] < BUDGET_SECONDS, times


async def one_call(anna: Caller, ben: Caller) -> list[float]:
    """Seconds from pressing Accept to the first picture on either screen."""
    await talk(anna, ben)
    pressed = float(await ben.run("sessionStorage.pressedAt"))
    seconds = [(float(await one.run("seen.frameAt")) - pressed) / 1000 for one in (anna, ben)]
    await hang_up(anna, ben)
    for one in (anna, ben):
        left = json.loads(await one.run("sessionStorage.left"))
        assert left.pop("most") == 1
        assert left == FREED
    await asyncio.gather(anna.go_online(), ben.go_online())
    return seconds
