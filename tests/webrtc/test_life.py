"""A call's life around the media: the clock, the background, the socket, the tab, the screen, the sound."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

import pytest
from playwright.async_api import WebSocketRoute, expect

from tests.journeys.people.visitor import until
from tests.journeys.stage import Stage, journey
from tests.support.pace import within
from tests.webrtc.callers import ONLINE, WATCH, Caller, caller, couple, pair, ring, talk

AN_HOUR_AHEAD = """(() => {
  const RealDate = Date, origin = performance.timeOrigin + 3600_000;
  window.ahead = 3600_000;
  window.Date = class extends RealDate {
    constructor(...parts) { parts.length ? super(...parts) : super(RealDate.now() + ahead); }
    static now() { return RealDate.now() + ahead; }
  };
  Object.defineProperty(performance, 'timeOrigin', { get: () => origin });
})();"""
HIDE = """(isHidden) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => isHidden });
  const state = () => (isHidden ? 'hidden' : 'visible');
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: state });
  document.dispatchEvent(new Event('visibilitychange'));
}"""
CAMERA = "seen.tracks.findLast(({ kind }) => kind === 'video')"
SILENT = "bend.play = (player) => player.tagName === 'AUDIO' && !window.tapped;"


@journey
async def test_both_see_the_same_time_though_one_clock_is_an_hour_off(stage: Stage) -> None:
    anna, ben = await asyncio.gather(caller(stage, "Anna", scripts=AN_HOUR_AHEAD), caller(stage, "Ben"))
    await talk(anna, ben)
    assert await anna.run("Date.now()") - await ben.run("Date.now()") > 3_500_000
    for _ in range(3):
        left = await asyncio.gather(anna.visitor.remaining_ms(), ben.visitor.remaining_ms())
        assert abs(left[0] - left[1]) < 1000
        assert left[0] < 1_050_000
    restarts = await anna.run("napalmCall.restarts")
    for ahead in (-3600_000, 7200_000):
        # Set while the call goes on: told at once, and by no message of the server.
        await anna.run("ms => { window.ahead = ms; }", ahead)
        await asyncio.gather(anna.visitor.sees_video(10), ben.visitor.sees_video(10))
        left = await asyncio.gather(anna.visitor.remaining_ms(), ben.visitor.remaining_ms())
        assert abs(left[0] - left[1]) < 1000
    assert await anna.run("napalmCall.restarts") == restarts
    await anna.run("document.getElementById('call-timer').textContent = ''")
    await expect(anna.page.locator("#call-timer")).to_contain_text(":")


@journey
async def test_a_tab_that_comes_back_is_right_at_once_and_renews_a_frozen_camera(stage: Stage) -> None:
    anna, ben = await couple(stage)
    await anna.run(
        "for (let id = 1; id < 100000; id++) clearInterval(id)"
    )  # as a throttled tab: nothing ticks
    before = await anna.visitor.remaining_ms()
    await anna.run(HIDE, True)
    await until(ben.visitor.remaining_ms, lambda left: left < before - 3000)
    assert await anna.visitor.remaining_ms() == before
    await anna.run(f"{CAMERA}.stop(); document.getElementById('remote-video').pause()")
    await anna.run(HIDE, False)
    left = await asyncio.gather(anna.visitor.remaining_ms(), ben.visitor.remaining_ms())
    assert abs(left[0] - left[1]) < 1000
    await until(lambda: anna.run(f"{CAMERA}.readyState"), lambda state: state == "live")
    await until(lambda: anna.run("document.getElementById('remote-video').paused"), lambda paused: not paused)
    await ben.visitor.sees_video(5)
    assert await anna.offers() + await ben.offers() == 0


@pytest.mark.prove
@journey
async def test_a_camera_that_stays_dark_after_the_return_is_replaced(stage: Stage) -> None:
    anna, _ = await couple(stage)
    await anna.run(f"window.dark = {CAMERA}; Object.defineProperty(dark, 'muted', {{ get: () => true }})")
    await anna.run(HIDE, True)
    await anna.run(HIDE, False)
    await until(lambda: anna.run("dark.readyState"), lambda state: state == "ended")
    await until(lambda: anna.run(f"{CAMERA}.readyState"), lambda state: state == "live")


@journey
async def test_the_screen_stays_awake_and_the_lock_is_taken_again(stage: Stage) -> None:
    anna, _ = await couple(stage)
    locks = "[seen.locks.asked, seen.locks.given]"
    assert await anna.run(locks) == [1, 0]
    await anna.run(HIDE, False)
    assert await anna.run(locks) == [1, 0]
    await anna.run("seen.lock.released = true")
    await anna.run(HIDE, True)
    await anna.run(HIDE, False)
    assert await anna.run(locks) == [2, 0]


@journey
async def test_blocked_sound_takes_one_tap(stage: Stage) -> None:
    anna, ben = await asyncio.gather(caller(stage, "Anna", scripts=SILENT), caller(stage, "Ben"))
    await ring(anna, ben)
    await anna.visitor.in_call()
    await expect(anna.page.locator("#hear")).to_be_visible()
    await anna.run("window.tapped = true")
    await anna.visitor.press("Tap to hear Ben")
    await expect(anna.page.locator("#hear")).to_be_hidden()
    assert not await anna.run("document.getElementById('remote-audio').paused")


@journey
async def test_chat_works_before_the_first_picture(stage: Stage) -> None:
    anna, ben = await pair(stage, scripts="bend.hold = new Promise((go) => { window.letGo = go; });")
    await ring(anna, ben)
    await anna.visitor.write("I am here already")
    await ben.visitor.reads("I am here already")
    for one in (anna, ben):
        assert await one.visitor.shown_frames() == 0
        await one.run("letGo()")
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())


class Cut:
    """Stands between a page and its relay; while `is_cut`, no message passes."""

    def __init__(self) -> None:
        self.is_cut = False
        self.open: list[WebSocketRoute] = []

    async def route(self, wire: WebSocketRoute) -> None:
        if self.is_cut:
            await wire.close(code=1011)
        else:
            wire.connect_to_server()
            self.open.append(wire)

    async def cut(self) -> None:
        self.is_cut = True
        for wire in self.open:
            await wire.close(code=1011)


@pytest.mark.parametrize("seconds", [3, pytest.param(10, marks=pytest.mark.prove)])
@journey
async def test_a_socket_that_is_cut_stops_no_picture_and_loses_no_line(stage: Stage, seconds: int) -> None:
    anna, ben = await asyncio.gather(online_behind(stage, "Anna", cut := Cut()), caller(stage, "Ben"))
    await talk(anna, ben)
    await cut.cut()
    ends = time.monotonic() + seconds
    for number in range(5):
        await anna.visitor.write(f"line {number}")
        await ben.visitor.sees_video(5)
    while time.monotonic() < ends:
        await ben.visitor.sees_video(5)
    assert await ben.page.locator(".chat-log .bubble").count() == 0
    cut.is_cut = False
    await ben.visitor.reads("line 4")
    lines = ben.page.locator(".chat-log .bubble")
    await expect(lines).to_have_count(5)
    for number in range(5):
        await expect(lines.nth(number)).to_contain_text(f"line {number}")
    await expect(anna.page.locator(".chat-log .bubble")).to_have_count(5)
    assert await anna.offers() + await ben.offers() == 0


async def online_behind(stage: Stage, name: str, cut: Cut) -> Caller:
    one = await caller(stage, name)
    await one.visitor.open_tab(WATCH + ONLINE)
    await one.page.route_web_socket("**/ws/calls/*", cut.route)
    await one.go_online()
    return one


@journey
async def test_a_closed_tab_is_told_within_three_seconds(stage: Stage) -> None:
    anna, ben = await couple(stage)
    await anna.page.close()
    began = time.monotonic()
    await ben.visitor.sees("Reconnecting… The clock waits")
    assert time.monotonic() - began < within(3)


class Lossy(Cut):
    """Between a page and the server: chat lines are lost, and the call's state can be sent again."""

    def __init__(self) -> None:
        super().__init__()
        self.state: dict[str, Any] = {}
        self.lost: list[dict[str, Any]] = []
        self.relay: WebSocketRoute | None = None

    async def route(self, wire: WebSocketRoute) -> None:
        server = wire.connect_to_server()
        server.on_message(lambda frame: self._pass_on(wire, frame))
        if "/ws/calls/" in wire.url:
            self.relay = wire

    def _pass_on(self, wire: WebSocketRoute, frame: str | bytes) -> None:
        message = json.loads(frame)
        if message["type"] in ("call:state", "call:clock"):
            self.state |= message | {"type": "call:state"}
        if message["type"] == "chat:message":
            self.lost.append(message)
        else:
            wire.send(frame)

    async def count(self) -> int:
        return len(self.lost)

    def tell_again(self) -> None:
        assert self.relay is not None
        self.relay.send(json.dumps(self.state | {"peerHere": True, "messages": self.lost}))


@journey
async def test_a_line_that_was_lost_is_news_in_the_next_state_and_only_once(stage: Stage) -> None:
    """As after an outage of Redis (tests/handlers/realtime/test_redis_outages.py)."""
    anna, ben = await asyncio.gather(caller(stage, "Anna"), online_behind(stage, "Ben", lossy := Lossy()))
    await talk(anna, ben)
    restarts = await ben.run("napalmCall.restarts")
    await anna.visitor.write("can you hear me?")
    await until(lossy.count, lambda lost: lost == 1)
    lines, unread = ben.page.locator(".chat-log .bubble"), ben.page.locator("#unread")
    assert await lines.count() == 0
    for _ in range(2):
        lossy.tell_again()
        await expect(lines).to_have_text([re.compile("can you hear me")])
        await expect(unread).to_have_text("1")
        await asyncio.gather(anna.visitor.sees_video(5), ben.visitor.sees_video(5))
    assert await ben.run("napalmCall.restarts") == restarts
