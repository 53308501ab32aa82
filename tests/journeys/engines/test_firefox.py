"""Firefox in calls with Chromium, in both directions, by keyboard, and with itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from playwright.async_api import Browser

from tests.journeys.engines.evening import CONTEXTS, evening, rings_aloud_after_every_load
from tests.journeys.parts.keyboard import answer, ring, use_the_call
from tests.journeys.people.visitor import Visitor
from tests.journeys.stage import DESKTOP, PHONE, Device, Stage, journey

TOUCHED = Device(PHONE.size)  # the fingers are the browser's, not Playwright's


async def with_firefox(
    stage: Stage, name: str, browser: Browser, device: Device, scripts: str = ""
) -> Visitor:
    usual, stage.house = stage.house, replace(stage.house, browsers=[browser])
    visitor = await stage.visitor(name, device, may_use=(), scripts=scripts)
    stage.house = usual
    return visitor


@journey
async def test_firefox_calls_chromium(stage: Stage, firefox: Browser) -> None:
    await evening(await with_firefox(stage, "Fay", firefox, DESKTOP), await stage.visitor("Cora", PHONE))


@journey
async def test_chromium_calls_firefox(stage: Stage, firefox_phone: Browser) -> None:
    await evening(await stage.visitor("Cora"), await with_firefox(stage, "Finn", firefox_phone, TOUCHED))


@journey
@pytest.mark.prove
async def test_firefox_calls_firefox(stage: Stage, firefox: Browser, firefox_phone: Browser) -> None:
    fay = await with_firefox(stage, "Fay", firefox, DESKTOP)
    await evening(await with_firefox(stage, "Finn", firefox_phone, TOUCHED), fay)


@journey
async def test_firefox_calls_by_keyboard(stage: Stage, firefox: Browser) -> None:
    fay, cora = await with_firefox(stage, "Fay", firefox, DESKTOP), await stage.visitor("Cora")
    await asyncio.gather(fay.enrol(), cora.enrol(gender="male"))
    await cora.go_online()
    await fay.go("/room")
    await ring(fay, cora)
    await answer(cora)
    await fay.in_call()
    await use_the_call(fay, cora)


@journey
async def test_a_touch_lets_firefox_ring(stage: Stage, firefox_phone: Browser) -> None:
    finn = await with_firefox(stage, "Finn", firefox_phone, TOUCHED, CONTEXTS)
    await rings_aloud_after_every_load(finn)


@journey
async def test_a_touch_lets_chromium_ring(stage: Stage) -> None:
    await rings_aloud_after_every_load(await stage.visitor("Cora", PHONE, scripts=CONTEXTS))
