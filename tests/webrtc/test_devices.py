"""Cameras and microphones that are missing, refused, unplugged, chosen, or switched off."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from tests.journeys.people.visitor import until
from tests.journeys.stage import Stage, journey
from tests.webrtc.callers import ONLINE, WATCH, Caller, couple, pair, ring

HELP = {
    "NotAllowedError": "are blocked",
    "NotFoundError": "was found",
    "NotReadableError": "is busy",
    "OverconstrainedError": "cannot do what was asked",
    "SecurityError": "does not offer",
}
FAULT = "bend.media = () => new DOMException('bent', '%s');"
ONLY = "bend.media = ({ %s: lacks }) => (lacks ? new DOMException('bent', 'NotFoundError') : null);"
UNPLUG = """() => {
  const track = seen.tracks.find(({ kind, readyState }) => kind === 'video' && readyState === 'live');
  window.unplugged = track.getSettings().deviceId;
  bend.devices = ({ deviceId }) => deviceId !== unplugged;
  track.stop();
  track.dispatchEvent(new Event('ended'));
  navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
}"""
CHOOSE = """async () => {
  const found = await navigator.mediaDevices.enumerateDevices();
  localStorage.setItem('napalm.camera', found.find(({ kind }) => kind === 'videoinput').deviceId);
}"""
CAMERA = """seen.tracks.filter(({ kind, readyState }) => kind === 'video' && readyState === 'live')
  .map((track) => track.getSettings().deviceId)"""
AWAY = """(away) => {
  bend.devices = ({ deviceId }) => deviceId !== away;
  navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
}"""


@pytest.mark.parametrize("fault", HELP)
@journey
async def test_each_trouble_has_its_own_help(stage: Stage, fault: str) -> None:
    visitor = await stage.visitor("Help")
    await visitor.go("/")
    script = "async (name) => (await import('/static/troubles.js')).troubleOf({ name })"
    trouble = await visitor.page.evaluate(script, fault)
    assert HELP[fault] in trouble["title"]
    assert trouble["canRetry"] == (fault != "SecurityError")


@journey
async def test_who_refuses_both_may_try_again_or_join_with_text(stage: Stage) -> None:
    anna, ben = await pair(stage, scripts=FAULT % "NotAllowedError")
    await ring(anna, ben)
    for one in (anna, ben):
        await one.visitor.sees("Your camera and microphone are blocked")
    await anna.run("bend.media = null")
    await anna.visitor.press("Try again")
    await ben.visitor.press("Join with text only")
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())
    await anna.visitor.sees("Ben’s microphone is blocked in the browser")
    await ben.visitor.sees_video(3)
    await ben.visitor.write("I have no microphone")
    await anna.visitor.reads("I have no microphone")


@journey
async def test_without_a_camera_there_is_sound_without_a_microphone_picture(stage: Stage) -> None:
    anna, ben = await pair(stage)
    await asyncio.gather(lacks(anna, "video"), lacks(ben, "audio"))
    await ring(anna, ben)
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())
    await anna.visitor.sees("No camera was found")
    await ben.visitor.sees("No microphone was found")
    for one in (anna, ben):
        await one.visitor.press("Go on like this")
    await expect(ben.page.locator("#peer-words")).to_contain_text("Anna’s camera was not found")
    await anna.visitor.sees_video(3)
    await ben.sound_flows()


async def lacks(one: Caller, kind: str) -> None:
    await one.visitor.open_tab(WATCH + ONLINE + ONLY % kind)
    await one.go_online()


@journey
async def test_an_unplugged_camera_is_replaced_without_an_offer_and_the_choice_is_kept(stage: Stage) -> None:
    anna, ben = await couple(stage)
    await anna.run(CHOOSE)
    await anna.run(UNPLUG)
    await anna.visitor.sees("Your camera went away. Now using")
    await until(lambda: anna.run(CAMERA), lambda ids: len(ids) == 1)
    await ben.visitor.sees_video(5)
    assert await anna.run("localStorage.getItem('napalm.camera')") == await anna.run("unplugged")
    assert await anna.offers() + await ben.offers() == 0


@journey
async def test_the_only_camera_comes_back_by_itself_when_it_is_plugged_in_again(stage: Stage) -> None:
    anna, ben = await couple(stage)
    await anna.run("bend.media = () => new DOMException('bent', 'NotFoundError')")
    await anna.run(UNPLUG)
    await anna.visitor.sees("Plug it in again")
    await expect(ben.page.locator("#peer-words")).to_have_text("Anna’s camera was not found")
    await anna.run("bend.media = bend.devices = null")
    await anna.run("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
    await ben.shows("#call-stage", "data-picture", "yes")
    await ben.visitor.sees_video(5)
    assert await anna.offers() + await ben.offers() == 0


@journey
async def test_camera_off_puts_its_light_out_and_shows_the_selfie(stage: Stage) -> None:
    anna, ben = await couple(stage)
    await anna.visitor.press("Camera off")
    assert await anna.run(CAMERA) == []
    await expect(anna.page.locator("#local-video")).to_be_hidden()
    await expect(ben.page.locator("#peer-words")).to_have_text("Anna has the camera off")
    await expect(ben.page.locator("#peer-face img")).to_be_visible()
    await ben.sound_flows()
    await anna.visitor.press("Camera on")
    await ben.shows("#call-stage", "data-picture", "yes")


@pytest.mark.prove
@journey
async def test_the_chosen_speaker_is_used_and_the_next_best_when_it_is_gone(stage: Stage) -> None:
    anna, _ = await couple(stage)
    await anna.visitor.press("Devices")
    speaker = str(await anna.page.locator("#device-output option").last.get_attribute("value"))
    await anna.page.get_by_label("Speaker").select_option(speaker)
    sink = "document.getElementById('remote-audio').sinkId"
    await until(lambda: anna.run(sink), lambda now: now == speaker)
    await anna.run(AWAY, speaker)
    await until(lambda: anna.run(sink), lambda now: now == "")
    await anna.run(AWAY, "none")
    await until(lambda: anna.run(sink), lambda now: now == speaker)


@journey
async def test_any_camera_will_do(stage: Stage) -> None:
    """Preferred sizes, not required ones: a camera that only offers 320x240 is used."""
    small = """bend.media = ({ video }) => {
      const demands = JSON.stringify(video ?? {}).match(/"(exact|min)"/);
      return demands ? new DOMException('too small', 'OverconstrainedError') : null;
    };"""
    anna, ben = await couple(stage, scripts=small)
    for one in (anna, ben):
        await expect(one.page.locator("#call-help")).to_be_hidden()
        settings = await one.run("seen.tracks.find(({kind}) => kind === 'video').getSettings()")
        assert settings["frameRate"] <= 30
