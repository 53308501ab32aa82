"""The check of camera and sound in the room, by a user who is not online."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.journeys.people.visitor import until
from tests.journeys.stage import PHONE, Stage, journey
from tests.webrtc.callers import Caller, caller

# Watched from inside the page: the fake microphone beeps for a moment only.
MOVES = """new Promise((moved) => {
  const look = () => (document.getElementById("preview-level").value > 0.05 ? moved() : setTimeout(look, 20));
  look();
})"""
# The one audio context is the ring tone's, which any first click unlocks.
FREED = {"pcs": 0, "most": 0, "tracks": 0, "contexts": 1, "locks": 0}


async def opened(stage: Stage, scripts: str = "") -> Caller:
    anna = await caller(stage, "Anna", PHONE, scripts=scripts)
    await anna.visitor.press("Take a break")
    await until(anna.alive, lambda left: left == FREED)
    await anna.visitor.press("Check camera and sound")
    return anna


@journey
async def test_the_meter_moves_the_sound_plays_and_the_choice_is_kept(stage: Stage) -> None:
    anna = await opened(stage)
    await asyncio.wait_for(anna.run(MOVES), 20)
    await until(
        lambda: anna.run("document.getElementById('preview-video').videoWidth"), lambda width: width > 0
    )
    for label, key in (("Camera", "camera"), ("Microphone", "microphone"), ("Speaker", "speaker")):
        select = anna.page.locator("#preview").get_by_label(label, exact=True)
        device = str(await select.locator("option").last.get_attribute("value"))
        await select.select_option(device)
        assert await anna.run(f"localStorage.getItem('napalm.{key}')") == device
    await anna.visitor.press("Play a test sound")
    await until(lambda: anna.run("seen.spoken"), lambda said: "The test sound was played." in said)
    await anna.visitor.press("Done")
    await expect(anna.page.locator("#preview")).to_be_hidden()
    await until(anna.alive, lambda left: left == FREED)
    await expect(anna.page.locator("#open-preview")).to_be_focused()


@journey
async def test_a_device_that_opens_after_the_dialog_has_closed_is_let_go(stage: Stage) -> None:
    anna = await opened(stage, "bend.hold = new Promise((go) => { window.letGo = go; });")
    await anna.page.keyboard.press("Escape")
    await expect(anna.page.locator("#preview")).to_be_hidden()
    await anna.run("letGo()")
    await until(lambda: anna.run("seen.tracks.length"), lambda count: count == 2)
    await until(anna.alive, lambda left: left == FREED)
    assert await anna.run("document.getElementById('local-video').srcObject") is None


@journey
async def test_a_refusal_has_its_help_and_another_try(stage: Stage) -> None:
    anna = await opened(stage, "bend.media = () => new DOMException('bent', 'NotAllowedError');")
    # The room says so too, maybe before the dialog has tried.
    trouble = anna.page.locator("#preview-trouble")
    await expect(trouble).to_contain_text("Your camera and microphone are blocked")
    await anna.run("bend.media = null")
    await anna.visitor.press("Try again")
    await expect(trouble).to_be_hidden()
    await until(
        lambda: anna.run("document.getElementById('preview-video').videoWidth"), lambda width: width > 0
    )
