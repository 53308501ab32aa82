"""What Safari and iOS do differently, simulated in Chromium before the page loads."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Route, expect

from tests.journeys.people.screen import until
from tests.journeys.people.visitor import Visitor
from tests.journeys.stage import PHONE, Stage, journey
from tests.support.media.clips import clip
from tests.webrtc.callers import Caller, caller, pair, ring

# As on an iPhone: the keyboard covers the page, which stays as large as it was.
KEYBOARD = """
const view = Object.assign(new EventTarget(), { scale: 1, offsetTop: 0, height: 568 });
Object.defineProperty(window, "visualViewport", { value: view });
window.openKeyboard = (height, offsetTop) => {
  Object.assign(view, { height, offsetTop });
  view.dispatchEvent(new Event("resize"));
};
"""
# Safari's AudioContext in a phone call: it cannot be resumed before the call ends.
INTERRUPTED = """
window.contexts = [];
window.AudioContext = class extends AudioContext {
  constructor(...options) { super(...options); contexts.push(this); }
  get state() { return window.isInterrupted ? "interrupted" : super.state; }
  resume() {
    if (window.isInterrupted) return Promise.reject(new DOMException("interrupted", "InvalidStateError"));
    return super.resume();
  }
};
window.interrupt = (isInterrupted) => {
  window.isInterrupted = isInterrupted;
  for (const context of contexts) context.dispatchEvent(new Event("statechange"));
};
"""
NO_AUDIO = (
    "window.AudioContext = class { constructor() { throw new DOMException('', 'NotSupportedError'); } };"
)
NO_LIST = "MediaDevices.prototype.enumerateDevices = () => new Promise(() => {});"
BROKEN_LIST = (
    "MediaDevices.prototype.enumerateDevices = async () => { throw new DOMException('', 'UnknownError'); };"
)
EMPTY_LIST = "MediaDevices.prototype.enumerateDevices = async () => [];"
NO_FORMAT = "MediaRecorder.isTypeSupported = () => false;"
RECORDERS = {
    "refuses": """window.MediaRecorder = class {
      static isTypeSupported = () => true;
      constructor() { throw new DOMException("", "NotSupportedError"); }
    };""",
    "fails": """MediaRecorder.prototype.start = function () {
      setTimeout(() => this.dispatchEvent(new Event("error")), 50);
    };""",
    "gives nothing": """MediaRecorder.prototype.start = function () {
      setTimeout(() => this.dispatchEvent(new BlobEvent("dataavailable", { data: new Blob() })), 50);
    };""",
}
FULL = "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError'); };"


@journey
async def test_the_chat_stays_above_an_iphones_keyboard(stage: Stage) -> None:
    anna = await caller(stage, "Anna", PHONE, scripts=KEYBOARD, viewport={"width": 320, "height": 568})
    ben = await caller(stage, "Ben")
    await ring(anna, ben)
    await anna.visitor.press("Chat")
    field = anna.page.get_by_label("Message", exact=True)
    for height, top in ((300, 0), (300, 120)):
        await anna.run("([height, top]) => openKeyboard(height, top)", [height, top])
        for part in (field, anna.page.get_by_role("button", name="Close chat")):
            box = await part.bounding_box()
            assert box is not None
            assert top <= box["y"], (height, top, box)
            assert box["y"] + box["height"] <= top + height, (height, top, box)
    await anna.run("openKeyboard(568, 0)")
    await expect(anna.page.locator("#call")).to_have_css("bottom", "0px")


@journey
async def test_an_interrupted_tone_is_offered_again_and_comes_back(stage: Stage) -> None:
    anna = await caller(stage, "Anna", PHONE, scripts=INTERRUPTED)
    offer = anna.page.get_by_role("button", name="Tap for sound").first
    await anna.visitor.touch(anna.page.locator("#availability-words"))
    await until(lambda: anna.run("contexts.map(({ state }) => state)"), lambda states: "running" in states)
    await anna.run("interrupt(true)")
    await expect(offer).to_be_visible()
    await anna.run("contexts.forEach((context) => context.suspend())")
    await anna.run("window.isInterrupted = false")  # without an event
    await anna.visitor.touch(offer)
    await expect(offer).to_be_hidden()
    assert "running" in await anna.run("contexts.map(({ state }) => state)")


@journey
async def test_without_any_audio_context_a_call_rings_and_stands(stage: Stage) -> None:
    anna, ben = await pair(stage, scripts=NO_AUDIO)
    await ring(anna, ben)
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())


@pytest.mark.parametrize("script", [NO_LIST, BROKEN_LIST, EMPTY_LIST], ids=["never", "broken", "empty"])
@journey
async def test_a_list_of_devices_holds_nobody_up(stage: Stage, script: str) -> None:
    anna, ben = await pair(stage, scripts=script)
    await ring(anna, ben)
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())
    await anna.visitor.press("Devices")
    await expect(anna.page.get_by_label("Camera", exact=True)).to_contain_text("None found")


@pytest.mark.parametrize("fault", RECORDERS)
@journey
async def test_a_recorder_that_fails_is_told(stage: Stage, fault: str) -> None:
    anna = await stage.visitor("Anna", PHONE, scripts=RECORDERS[fault])
    await anna.enrol()
    await anna.go("/settings")
    await anna.press("Record one")
    await anna.press("Start recording")
    await anna.sees("That did not work.")
    await anna.sees("Record one")


@journey
async def test_a_recorder_without_a_format_leaves_the_file(stage: Stage) -> None:
    anna = await stage.visitor("Anna", PHONE, scripts=NO_FORMAT)
    await anna.enrol()
    await anna.go("/settings")
    await expect(anna.page.get_by_label("Video (webm or mp4")).to_be_visible()
    await expect(anna.page.get_by_role("button", name="Record one")).to_be_hidden()


@journey
async def test_a_video_that_cannot_be_played_has_words(stage: Stage) -> None:
    """Like webm in Safari before 17.4: the decoder gets bytes that it does not know."""
    vera, walt = await stage.visitor("Vera"), await stage.visitor("Walt", PHONE)
    await asyncio.gather(vera.enrol(), walt.enrol())
    await with_intro(vera)
    await walt.context.route("**/media/*", no_known_video)
    await asyncio.gather(vera.go_online(), walt.go_online())
    card = await walt.find_card(vera)
    await walt.touch(card.get_by_role("button", name="Play intro"))
    await expect(card.get_by_text("This browser cannot play this video.")).to_be_visible()
    await expect(card.get_by_role("button", name="Play intro")).to_have_count(0)


async def no_known_video(route: Route) -> None:
    if route.request.resource_type == "media":
        await route.fulfill(body=b"unknown", content_type="video/webm")
    else:
        await route.fallback()


async def with_intro(vera: Visitor) -> None:
    await vera.go("/settings")
    await vera.page.get_by_text("Choose a file").click()
    file = {"name": "b.webm", "mimeType": "video/webm", "buffer": clip()}
    await vera.page.get_by_label("Video (webm or mp4").set_input_files(file)  # type: ignore[arg-type]
    await vera.press("Upload this video")
    await vera.sees("Your video is on your card.")


@journey
async def test_a_full_storage_is_remembered_by_the_page(stage: Stage) -> None:
    anna: Caller = await caller(stage, "Anna", scripts=FULL)
    script = """async () => {
      const { remember, recall, forget } = await import("/static/storage.js");
      remember("a", "1"); remember("b", "2", "session"); forget("b", "session");
      return [recall("a"), recall("b", "session")];
    }"""
    assert await anna.run(script) == ["1", None]
