"""Faults of a network during a call, and the time until both see each other again (bench/README.md).

`make prove ARGS="tests/networks/test_recovery.py -s"` prints each time, the median and the machine's load.
"""

from __future__ import annotations

import asyncio
import os
import statistics
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from tests.journeys.people.visitor import until
from tests.journeys.stage import Stage, journey
from tests.networks.neighbourhood import Home
from tests.networks.people import WATCH_FRAMES, back_after, couple, moments, now, stalls, way_of
from tests.support.pace import within
from tests.webrtc.callers import Caller, hang_up

ALL = ""
NO_UDP = "meta l4proto udp"
RUNS = 5
CALM_SECONDS = 5


async def cut(home: Home, seconds: float, *people: Caller) -> float:
    """All packets of a home are dropped for so long. The time from then on until both see each other."""
    began = now()
    home.fault(ALL)
    await stalls(*people)
    await until(_clock, lambda at: at - began >= seconds, seconds + 1)
    assert home.dropped > 0
    seen, ended = await moments(*people), now()
    home.fault()
    return await back_after(ended, people, seen)


async def _clock() -> float:
    await asyncio.sleep(0)
    return now()


async def check_median(what: str, most: float, measure: Callable[[int], Awaitable[float]]) -> None:
    """Of five."""
    took = [await measure(number) for number in range(RUNS)]
    median = statistics.median(took)
    print(f"{what}: {median:.1f} s of {[round(one, 1) for one in took]}, load {os.getloadavg()[0]:.1f}")
    assert median < within(most), took


async def calms_down(*people: Caller) -> None:
    """The call runs undisturbed for a while."""
    for one in people:
        await one.visitor.in_call()
    began = now()
    await until(_clock, lambda at: at - began > CALM_SECONDS, CALM_SECONDS + 1)


@journey
async def test_a_cut_heals_without_a_reload(stage: Stage, code: str, homes: list[Home]) -> None:
    anna, ben = await couple(stage, code)
    await anna.visitor.write("before the cut")
    await cut(homes[0], 5, anna, ben)
    for one in (anna, ben):
        await one.visitor.in_call()
    await ben.visitor.reads("before the cut")
    await expect(ben.page.locator(".chat-log .bubble")).to_have_count(1)
    await hang_up(anna, ben)


@pytest.mark.prove
@pytest.mark.parametrize(("seconds", "most"), [(5, 2), (20, 3)])
@journey(seconds=600)
async def test_a_cut_of_all_traffic(
    stage: Stage, code: str, homes: list[Home], seconds: int, most: int
) -> None:
    anna, ben = await couple(stage, code)

    async def measure(number: int) -> float:
        await calms_down(anna, ben)
        return await cut(homes[number % 2], seconds, anna, ben)

    await check_median(f"{seconds} s without any packet", most, measure)
    await hang_up(anna, ben)


@pytest.mark.prove
@journey(seconds=600)
async def test_a_change_of_network(stage: Stage, code: str, homes: list[Home]) -> None:
    anna, ben = await couple(stage, code)

    async def measure(number: int) -> float:
        await calms_down(anna, ben)
        seen, began = await moments(anna, ben), now()
        homes[0].enter("mobile" if number % 2 == 0 else "lan")
        return await back_after(began, (anna, ben), seen, is_other_way=True)

    await check_median("another network", 3, measure)
    await hang_up(anna, ben)


@pytest.mark.prove
@journey(seconds=600)
async def test_the_old_network_goes_after_the_new_one_has_come(
    stage: Stage, code: str, homes: list[Home]
) -> None:
    """The browser is never offline and reports nothing."""
    anna, ben = await couple(stage, code)

    async def measure(number: int) -> float:
        new, old = ("mobile", "lan") if number % 2 == 0 else ("lan", "mobile")
        homes[0].join(new)
        await calms_down(anna, ben)
        seen, began = await moments(anna, ben), now()
        homes[0].leave(old)
        return await back_after(began, (anna, ben), seen, is_other_way=True)

    await check_median("another network, without a time offline", 3, measure)
    await hang_up(anna, ben)


@pytest.mark.prove
@journey(seconds=600)
async def test_udp_dies_during_the_call(stage: Stage, code: str, homes: list[Home]) -> None:
    anna, ben = await couple(stage, code)

    async def measure(_number: int) -> float:
        await calms_down(anna, ben)
        await until(lambda: way_of(anna), lambda way: way[2] == "udp", 10)
        seen, began = await moments(anna, ben), now()
        homes[0].fault(NO_UDP)
        took = await back_after(began, (anna, ben), seen, is_other_way=True)
        assert homes[0].dropped > 0
        await until(lambda: way_of(anna), lambda way: way[2] in ("tcp", "tls"), 10)
        homes[0].fault()
        await ben.page.reload()  # a new connection, which goes by UDP again
        await ben.visitor.in_call()
        await ben.run(WATCH_FRAMES)
        return took

    await check_median("UDP dies", 4, measure)
    await hang_up(anna, ben)
