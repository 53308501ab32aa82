"""Lost packets: quality in words, the levels of video, and the way back after a total loss.

The network is bent by the recipe that works: conditions set before the connection is made, later only the
loss is changed. Each test first proves that the loss bites.
"""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import Any

import pytest
from playwright.async_api import expect

from tests.journeys.people.visitor import until
from tests.journeys.stage import Stage, journey
from tests.support.pace import within
from tests.webrtc.callers import Caller, pair, talk

# What the page does from one frame to the next, at the instant it happens.
RECORD = """() => {
  const call = document.getElementById('call'), quality = document.getElementById('call-quality');
  window.levels = [call.dataset.level]; window.words = [];
  new MutationObserver(() => { if (levels.at(-1) !== call.dataset.level) levels.push(call.dataset.level); })
    .observe(call, { attributes: true, attributeFilter: ['data-level'] });
  new MutationObserver(() => words.push([quality.dataset.quality, performance.now()]))
    .observe(quality, { attributes: true, attributeFilter: ['data-quality'] });
}"""


async def bent_couple(stage: Stage) -> tuple[Caller, Caller]:
    anna, ben = await pair(stage)
    await anna.bend_network()
    await talk(anna, ben)
    return anna, ben


@pytest.mark.parametrize(("seconds", "back_within"), [(5, 3), pytest.param(20, 5, marks=pytest.mark.prove)])
@journey
async def test_a_total_loss_heals_by_itself(stage: Stage, seconds: int, back_within: int) -> None:
    anna, ben = await bent_couple(stage)
    await anna.visitor.write("before the cut")
    ends = asyncio.get_running_loop().time() + seconds
    await anna.lose(100)
    await frames_stand_still(anna, ends)
    await anna.lose(0)
    began = time.monotonic()
    await asyncio.gather(*(moves_again(one) for one in (anna, ben)))
    took = time.monotonic() - began
    print(f"{seconds} s of loss: back after {took:.1f} s")
    assert took < back_within
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())
    await ben.visitor.reads("before the cut")
    await expect(ben.page.locator(".chat-log .bubble")).to_have_count(1)


async def frames_stand_still(one: Caller, ends: float) -> None:
    """Proves that the loss has an effect: soon no more frames are decoded."""
    loop = asyncio.get_running_loop()
    counts = [await one.visitor.frames()]
    while loop.time() < ends:
        await asyncio.sleep(min(0.5, max(0, ends - loop.time())))
        counts.append(await one.visitor.frames())
    assert counts[-1] == counts[-3], counts


async def moves_again(one: Caller) -> None:
    """Pictures are decoded again, after an ICE restart or on a new connection that counts from zero."""
    start = await one.visitor.frames()
    await until(one.visitor.frames, lambda now: now > start + 3 or 3 < now < start)


@pytest.mark.prove
@journey
async def test_quality_is_told_in_words_within_six_seconds_and_back(stage: Stage) -> None:
    anna, ben = await bent_couple(stage)
    await anna.shows("#call-quality", "data-quality", "good")
    await expect(anna.page.locator("#call-quality")).to_be_hidden()
    await anna.run(RECORD)
    for loss, words, spoken in ((50, {"weak", "unsteady"}, "The connection is"), (0, {"good"}, "good again")):
        await anna.lose(loss)
        began = time.monotonic()
        await until(lambda: quality(anna), lambda word, words=words: word in words, 10)
        assert time.monotonic() - began < within(6)
        await until(lambda: last_spoken(anna), lambda text, spoken=spoken: spoken in text, 2)
    said = [text for text in await anna.run("seen.spoken") if "connection" in text]
    assert all(one != other for one, other in pairwise(said)), said
    assert await ben.visitor.frames() > 0


async def quality(one: Caller) -> str:
    return str(await one.page.locator("#call-quality").get_attribute("data-quality"))


async def last_spoken(one: Caller) -> str:
    return str(await one.run("seen.spoken.filter((text) => text.includes('connection')).at(-1) ?? ''"))


@pytest.mark.prove
@journey
async def test_the_ladder_goes_down_to_sound_and_up_again_and_sound_never_stops(stage: Stage) -> None:
    anna, ben = await bent_couple(stage)
    await anna.run(RECORD)
    await anna.lose(60)
    sound = asyncio.create_task(sound_never_stops(ben, anna))
    await anna.shows("#call", "data-level", "paused", 40)
    await expect(anna.page.locator("#picture-note")).to_contain_text("Your picture is paused")
    await anna.shows("#call", "data-level", "sound", 20)
    await expect(ben.page.locator("#peer-words")).to_contain_text("picture is paused")
    await until(lambda: sends(ben), lambda active: active == [True, False])
    await anna.lose(0)
    await anna.shows("#call", "data-level", "paused", 30)
    sound.cancel()
    assert await anna.run("levels") == ["full", "bitrate", "scale", "paused", "sound", "paused"]
    await anna.visitor.press("Send it anyway")
    await anna.shows("#call", "data-level", "full")
    await expect(ben.page.locator("#call-stage")).to_have_attribute("data-picture", "yes")
    await until(lambda: sends(ben), lambda active: active == [True, True])
    assert await anna.offers() + await ben.offers() == 0


async def sound_never_stops(*callers: Caller) -> None:
    while True:
        for one in callers:
            await one.sound_flows()


async def sends(one: Caller) -> Any:
    return await one.run(
        "napalmCall.pc.getSenders().map((sender) => sender.getParameters().encodings[0].active)"
    )


@pytest.mark.prove
@journey
async def test_what_the_person_chooses_wins(stage: Stage) -> None:
    anna, ben = await pair(stage)
    await talk(anna, ben)
    for choice, level, picture in (
        ("Sound only", "sound", "no"),
        ("Small, saves data", "scale", "yes"),
        ("Always the best", "full", "yes"),
    ):
        if not await anna.page.locator("#devices").is_visible():
            await anna.visitor.press("Devices")
        await anna.page.get_by_label("Picture").select_option(choice)
        await anna.shows("#call", "data-level", level)
        await ben.shows("#call-stage", "data-picture", picture)
    await expect(anna.page.locator("#picture-note")).to_be_hidden()
    await asyncio.gather(anna.sound_flows(), ben.sound_flows())


@journey
async def test_bitrates_are_capped_and_sound_comes_first(stage: Stage) -> None:
    anna, ben = await pair(stage)
    await talk(anna, ben)
    for one in (anna, ben):
        audio, video = await one.run("napalmCall.pc.getSenders().map((sender) => sender.getParameters())")
        assert audio["encodings"][0]["maxBitrate"] == 48_000
        assert video["encodings"][0]["maxBitrate"] == 1_200_000
        assert (audio["encodings"][0]["priority"], video["encodings"][0]["priority"]) == ("high", "low")
        settings = await one.run("seen.tracks.find(({kind, readyState}) => kind === 'audio').getSettings()")
        assert all(settings[name] for name in ("echoCancellation", "noiseSuppression", "autoGainControl"))
        assert await one.run("document.getElementById('local-video').muted")
