"""An intro video: recorded in the settings, played on another user's card, silent until asked."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from playwright.async_api import expect

from tests.journeys.people.screen import until
from tests.journeys.people.visitor import Visitor
from tests.journeys.stage import DESKTOP, PHONE, Device, Stage, journey
from tests.support.media.clips import clip

LOOK_AT = os.environ.get("INTRO_PICTURES", "")


async def picture(visitor: Visitor, name: str, *, whole: bool = False) -> None:
    if LOOK_AT:
        await visitor.page.screenshot(path=Path(LOOK_AT) / f"{visitor.name}-{name}.png", full_page=whole)


async def record(visitor: Visitor, device: Device) -> None:
    page = visitor.page
    await visitor.go("/settings")
    await visitor.press("Record one")
    start = page.get_by_role("button", name="Start recording")
    await expect(page.locator("#intro video").first).to_have_css("scale", "-1 1")
    await expect(start).to_have_css("scale", "none")
    await visitor.touch(start)
    stop = page.get_by_role("button", name="Stop", exact=True)
    await expect(stop).to_be_disabled()
    await picture(visitor, "recording", whole=True)
    await expect(stop).to_be_enabled()
    await visitor.touch(stop)
    await picture(visitor, "recorded")
    await visitor.press("Use this video")
    await visitor.sees("Your video is on your card.")
    await picture(visitor, "settings", whole=True)


@journey
async def test_a_recorded_intro_plays_on_the_card(stage: Stage) -> None:
    vera = await stage.visitor("Vera")
    walt = await stage.visitor("Walt", PHONE, reduced_motion="no-preference")
    await asyncio.gather(vera.enrol(), walt.enrol())
    await record(vera, DESKTOP)
    await asyncio.gather(vera.go_online(), walt.go_online())
    card = await walt.find_card(vera)
    video = card.locator("video")
    await until(lambda: video.evaluate("v => v.currentTime > 0 && v.muted"), bool)
    length = float(await video.evaluate("v => v.duration"))
    assert 5 < length < 60
    await picture(walt, "card")
    await walt.press("Sound on")
    assert not await video.evaluate("v => v.muted")
    await walt.press("Pause")
    assert await video.evaluate("v => v.paused")
    await walt.press("Play intro")
    assert not await video.evaluate("v => v.paused")


@journey
async def test_a_file_is_sent_refused_and_taken_away(stage: Stage, tmp_path: Path) -> None:
    """With reduced motion nothing plays by itself."""
    xena, yuri = await stage.visitor("Xena", PHONE), await stage.visitor("Yuri")
    xena.expect_trouble("422|ERR_FILE_NOT_FOUND")
    await asyncio.gather(xena.enrol(), yuri.enrol())
    await xena.go("/settings")
    await expect(xena.page.locator("#video-file")).not_to_have_attribute("open", "")  # its script has run
    await xena.page.get_by_text("Choose a file").click()
    field = xena.page.get_by_label("Video (webm or mp4")
    moved = tmp_path / "moved.webm"
    moved.write_bytes(clip())
    await field.set_input_files(moved)
    moved.unlink()
    await xena.press("Upload this video")
    await xena.sees("This file can no longer be read.")
    await field.set_input_files({"name": "a.webm", "mimeType": "video/webm", "buffer": clip(seconds=3)})
    await xena.press("Upload this video")
    await xena.sees("A video needs 5 seconds at least.")
    await picture(xena, "refused")
    await field.set_input_files({"name": "b.webm", "mimeType": "video/webm", "buffer": clip()})
    await xena.press("Upload this video")
    await xena.sees("Your video is on your card.")
    await asyncio.gather(xena.go_online(), yuri.go_online())
    card = await yuri.find_card(xena)
    await picture(yuri, "still card")
    assert await card.locator("video").evaluate("v => v.paused && v.currentTime === 0")
    await xena.go("/settings")
    await xena.press("Take it away")
    await xena.sees("Your video is gone.")
    await expect(xena.page.locator("#settings-video video[src^='/media/']")).to_have_count(0)
