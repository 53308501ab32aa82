"""What a user sees, and can still do, without a camera or microphone."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from tests.journeys.people.screen import until
from tests.journeys.people.visitor import Visitor
from tests.journeys.stage import PHONE, Stage, journey

# A device that fails with the error in `window.failure` (W3C mediacapture-streams, 10.3), if there is one.
FAILS = """
window.failure = "NotAllowedError";
const works = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (works) navigator.mediaDevices.getUserMedia = (wish) =>
  window.failure && (%s) ? Promise.reject(new DOMException("", window.failure)) : works(wish);
"""
INSECURE = "insecure.test"
NOT_ISOLATED = "Cross-Origin-Opener-Policy header has been ignored"
ALWAYS, WITH_CAMERA = "true", "wish.video"
SELFIE_HELP = {
    "NotAllowedError": "Your camera is blocked.",
    "NotFoundError": "No camera was found.",
    "NotReadableError": "Your camera is busy.",
}
CALL_HELP = {
    "NotAllowedError": "Your camera and microphone are blocked",
    "NotFoundError": "No camera or microphone was found",
    "NotReadableError": "Your camera or microphone is busy",
}


async def next_failure(visitor: Visitor, name: str | None) -> None:
    await visitor.page.evaluate("(name) => { window.failure = name; }", name)


@journey
async def test_selfie_without_a_camera(stage: Stage) -> None:
    """The page says what is wrong; a retry works once it is fixed."""
    kim = await stage.visitor("Kim", PHONE, scripts=FAILS % ALWAYS)
    await kim.go("/onboarding")
    await kim.fill_profile()
    button = "Open the camera"
    await expect(kim.page.get_by_role("button", name=button)).to_be_visible()
    for name, words in SELFIE_HELP.items():
        await next_failure(kim, name)
        await kim.press(button)
        await kim.sees(words)
        await expect(kim.page.locator("[data-help-box]")).to_be_focused()
        button = "Try the camera again"
    await next_failure(kim, None)
    await kim.press(button)
    await kim.press("Take the photo")
    await kim.press("Use this photo")
    await kim.at("/paywall")


@journey
async def test_selfie_on_an_insecure_address(stage: Stage) -> None:
    kim = await stage.visitor("Kim", base_url=stage.server.plain_url)
    await kim.go("/onboarding")
    await kim.fill_profile()
    await kim.press("Open the camera")
    await kim.sees("This address is not secure.")
    await kim.touch(kim.page.get_by_text("Choose a photo instead"))
    await kim.choose_photo()
    await kim.press("Upload this photo")
    await kim.at("/paywall")
    kim.expect_trouble(NOT_ISOLATED)


@journey
async def test_call_without_devices(stage: Stage) -> None:
    """A text-only call still connects: the peer's video arrives, and one's own can be turned on later."""
    lena, milo = await met(stage, FAILS % ALWAYS)
    for name, words in CALL_HELP.items():
        if name != "NotAllowedError":  # the first, reported at once
            await next_failure(lena, name)
            await lena.press("Try again")
        await expect(lena.page.get_by_role("heading", name=words)).to_be_focused()
    await lena.press("Join with text only")
    await asyncio.gather(lena.in_call(), milo.in_call())
    await lena.sees_video()
    await lena.write("I can only write")
    await milo.reads("I can only write")
    await expect(milo.page.locator("#peer-words")).to_have_text(
        "Lena’s camera and microphone are in use by another program"
    )
    await next_failure(lena, None)
    await lena.press("Close chat")
    await lena.press("Camera on")
    await milo.sees_video()


@journey
async def test_call_with_sound_only(stage: Stage) -> None:
    lena, milo = await met(stage, FAILS % WITH_CAMERA)
    await expect(lena.page.get_by_role("heading", name="Your camera is blocked")).to_be_focused()
    await asyncio.gather(lena.in_call(), milo.in_call())
    await expect(milo.page.locator("#peer-words")).to_have_text("Lena’s camera is blocked in the browser")
    await until(lambda: sound_level(milo), lambda level: level > 0)


@pytest.mark.prove
@journey
async def test_call_on_an_insecure_address(stage: Stage) -> None:
    lena, milo = await met(stage, "", base_url=stage.server.plain_url)
    await expect(lena.page.get_by_role("heading", name="This address is not secure")).to_be_visible()
    await expect(lena.page.get_by_role("button", name="Try again")).to_be_hidden()
    await lena.press("Join with text only")
    await asyncio.gather(lena.in_call(), milo.in_call())
    lena.expect_trouble(NOT_ISOLATED)


async def met(stage: Stage, scripts: str, **options: str) -> tuple[Visitor, Visitor]:
    """Lena, whose devices fail, has called Milo, and he has answered."""
    lena, milo = await stage.visitor("Lena", scripts=scripts, **options), await stage.visitor("Milo")
    await asyncio.gather(lena.enrol(), milo.enrol())
    await lena.move_to(INSECURE)
    await asyncio.gather(lena.go_online(), milo.go_online())
    await lena.invite(milo, "5 min")
    await milo.answer("Accept")
    await asyncio.gather(*(visitor.at(r"/calls/[0-9a-f-]{36}") for visitor in (lena, milo)))
    return lena, milo


async def sound_level(visitor: Visitor) -> float:
    """The energy of the received sound."""
    return float(
        await visitor.page.evaluate("""async () => {
      let energy = 0;
      (await window.napalmCall.pc.getStats()).forEach((report) => {
        if (report.type === "inbound-rtp" && report.kind === "audio") energy += report.totalAudioEnergy ?? 0;
      });
      return energy;
    }""")
    )
