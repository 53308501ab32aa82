"""One device fails and the other works; no answer to the question; devices that the system pauses."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Route, expect

from tests.journeys.people.visitor import until
from tests.journeys.stage import CHROMIUM, FLAGS, Stage, journey
from tests.webrtc.callers import INVITE, Caller, caller, couple, hang_up, pair, ring

LACKS = "bend.media = ({ %s: lacks }) => (lacks ? new DOMException('%s', '%s') : null);"
# The title of the help for each error of getUserMedia (mediacapture-streams 10.3, and older names).
CAUSES = {
    ("NotAllowedError", "Permission denied"): "Your {} is blocked",
    ("NotAllowedError", "Permission denied by system"): "Your system blocks your {}",
    ("NotAllowedError", "Permission dismissed"): "Your browser may not use your {} yet",
    ("NotAllowedError", "The request is not allowed by the user agent"): "Your {} is blocked",
    ("PermissionDeniedError", ""): "Your {} is blocked",
    ("NotFoundError", "The object can not be found here."): "No {} was found",
    ("DevicesNotFoundError", ""): "No {} was found",
    ("NotReadableError", "Could not start source"): "Your {} is busy",
    ("TrackStartError", ""): "Your {} is busy",
    ("OverconstrainedError", ""): "Your {} cannot do what was asked",
    ("AbortError", "Starting failed"): "Your {} did not start",
    ("InvalidStateError", ""): "Your {} did not start",
    ("TypeError", ""): "Your {} did not start",
    ("SecurityError", "The operation is insecure."): "This browser does not offer your {}",
}
OPEN = """async ([device, name, message]) => {
  const { openWhatThereIs } = await import("/static/media/devices.js");
  const { troubleOfFaults } = await import("/static/troubles.js");
  bend.media = ({ [device]: lacks }) => (lacks ? new DOMException(message, name) : null);
  const { tracks, faults } = await openWhatThereIs();
  tracks.forEach((track) => track.stop());
  return [tracks.map(({ kind }) => kind), troubleOfFaults(faults)];
}"""
NO_ANSWER = """
bend.hold = new Promise((answer) => { window.answer = answer; });
Permissions.prototype.query = async () => ({ state: "prompt" });
"""
SHOWN = """[document.getElementById("call-stage").dataset.picture,
  document.getElementById("remote-audio").muted]"""
OLD_FIREFOX = "Permissions.prototype.query = async () => { throw new TypeError('camera is no permission'); };"
PAUSE = """([kind, isMuted]) => {
  const track = seen.tracks.find((one) => one.kind === kind && one.readyState === "live");
  Object.defineProperty(track, "muted", { value: isMuted, configurable: true });
  track.dispatchEvent(new Event(isMuted ? "mute" : "unmute"));
}"""


@journey
async def test_each_error_names_its_device_and_its_cause(stage: Stage) -> None:
    anna = await caller(stage, "Anna")
    for (name, message), words in CAUSES.items():
        for device, word, other in (("audio", "microphone", "video"), ("video", "camera", "audio")):
            kinds, trouble = await anna.run(OPEN, [device, name, message])
            assert (kinds, trouble["title"]) == ([other], words.format(word)), (name, message)
            assert trouble["help"]


@journey
async def test_two_causes_are_told_together(stage: Stage) -> None:
    anna = await caller(stage, "Anna")
    script = """async () => (await import("/static/troubles.js")).troubleOfFaults([
      { kind: "audio", cause: "blocked" }, { kind: "video", cause: "missing" }])"""
    assert (await anna.run(script))["title"] == "Your microphone is blocked, and no camera was found"


@pytest.mark.parametrize("allowed", ["microphone", "camera"])
@journey
async def test_one_device_is_allowed_and_the_other_is_named(stage: Stage, allowed: str) -> None:
    """The browser's own permission, without changes by the test."""
    anna = await in_a_strict_browser(stage, "Anna", allowed)
    ben = await caller(stage, "Ben")
    lacking = {"microphone": "camera", "camera": "microphone"}[allowed]
    await anna.visitor.sees(f"Your {lacking} is blocked")  # in the room, before any call
    await ring(anna, ben)
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())
    await expect(anna.page.locator("#help-title")).to_have_text(f"Your {lacking} is blocked")
    await expect(ben.page.locator("#peer-words")).to_contain_text(f"Anna’s {lacking} is blocked")
    if allowed == "microphone":
        await ben.sound_flows()
    else:
        await ben.visitor.sees_video(3)
    await close_browser(stage, anna)


async def in_a_strict_browser(stage: Stage, name: str, *allowed: str) -> Caller:
    """The other browsers of the tests say yes to every question; this one has permissions."""
    flags = [flag for flag in FLAGS if flag != "--use-fake-ui-for-media-stream"]
    browser = await stage.house.browsers[0].browser_type.launch(
        executable_path=CHROMIUM, args=flags, chromium_sandbox=False
    )
    usual, stage.house.browsers[:] = stage.house.browsers[:], [browser, browser]
    try:
        return await caller(stage, name, may_use=allowed)
    finally:
        stage.house.browsers[:] = usual


async def close_browser(stage: Stage, one: Caller) -> None:
    stage.visitors.remove(one.visitor)
    assert one.visitor.troubles == []
    browser = one.visitor.context.browser
    assert browser is not None
    await browser.close()


@journey
async def test_where_the_browser_does_not_tell_permissions_each_device_is_tried(stage: Stage) -> None:
    bent = LACKS % ("video", "The request is not allowed", "NotAllowedError") + OLD_FIREFOX
    anna, ben = await pair(stage, scripts=bent)
    await ring(anna, ben)
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())
    await expect(anna.page.locator("#help-title")).to_have_text("Your camera is blocked")


@journey
async def test_a_question_without_an_answer_is_told_to_both(stage: Stage) -> None:
    anna = await caller(stage, "Anna", scripts=NO_ANSWER)
    ben = await caller(stage, "Ben")
    await ring(anna, ben)
    await anna.visitor.sees("Choose Allow in the browser’s bar")
    told = "Anna is still allowing the camera and microphone"
    await expect(ben.page.locator("#call-words")).to_have_text(told, timeout=10_000)
    await anna.run("answer()")
    await expect(anna.page.locator("#call-help")).to_be_hidden()
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())
    await expect(ben.page.locator("#call-words")).to_have_text("")


@journey
async def test_before_the_answer_the_peer_is_not_shown_and_the_call_costs_nothing(stage: Stage) -> None:
    anna = await caller(stage, "Anna", scripts=NO_ANSWER)
    ben = await caller(stage, "Ben")
    await ring(anna, ben)
    await ben.visitor.sees("Anna is still allowing the camera")
    await until(lambda: anna.run("document.getElementById('remote-video').videoWidth"), bool)
    await until(anna.visitor.frames, lambda frames: frames > 3)
    assert await anna.run(SHOWN) == ["no", True]
    await hang_up(ben, anna)
    for one in (anna, ben):
        await expect(one.page.locator("#call-ended")).to_contain_text("this call costs nobody anything")
        await expect(one.page.locator("#call-ended")).not_to_contain_text(
            "You can call each other again from"
        )


@journey
async def test_who_does_not_answer_may_join_with_text(stage: Stage) -> None:
    anna = await caller(stage, "Anna", scripts=NO_ANSWER)
    ben = await caller(stage, "Ben")
    await ring(anna, ben)
    await anna.visitor.press("Join with text only")
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())


@pytest.mark.parametrize(("kind", "device"), [("audio", "microphone"), ("video", "camera")])
@journey
async def test_what_the_system_pauses_is_told_to_both_and_comes_back(
    stage: Stage, kind: str, device: str
) -> None:
    anna, ben = await couple(stage)
    await anna.run(PAUSE, [kind, True])
    note = anna.page.locator("#device-note")
    await expect(note).to_contain_text(f"Your device has paused your {device}")
    await expect(ben.page.locator("#peer-words")).to_have_text(f"Anna’s device has paused the {device}")
    assert (await last_told(anna))["faults"] == {kind: "paused"}
    await anna.run(PAUSE, [kind, False])
    await expect(note).to_be_hidden()
    await expect(ben.page.locator("#peer-words")).to_have_text("")
    assert "faults" not in await last_told(anna)


async def last_told(one: Caller) -> dict[str, object]:
    return (await one.sent("media:state"))[-1]


@journey
async def test_a_browser_without_webrtc_says_so_before_going_online(stage: Stage) -> None:
    visitor = await stage.visitor("Anna", scripts="delete window.RTCPeerConnection;")
    await visitor.enrol()
    await visitor.go("/room")
    await visitor.sees("Video calls are switched off in this browser")
    await visitor.press("Go online")
    await expect(visitor.page.locator("#room-trouble")).to_be_focused()
    await expect(visitor.page.locator("#availability-words")).to_have_text("You are not online")


@journey
async def test_a_browser_that_finds_no_candidate_says_so_before_going_online(stage: Stage) -> None:
    """Relay only, without a relay: gathering ends without a candidate, as when a policy forbids UDP."""
    blocked = """window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(options) { super({ ...options, iceServers: [], iceTransportPolicy: "relay" }); }
    };"""
    visitor = await stage.visitor("Anna", scripts=blocked)
    await visitor.enrol()
    await visitor.go("/room")
    await visitor.press("Go online")
    await visitor.sees("No way for calls out of this browser was found")
    await expect(visitor.page.locator("#availability-words")).to_have_text("You are not online")


@journey
async def test_a_call_without_webrtc_tells_the_peer_and_keeps_the_chat(stage: Stage) -> None:
    anna, ben = await pair(stage)
    await anna.run("delete window.RTCPeerConnection")
    await ring(anna, ben)
    await anna.visitor.sees("This browser cannot make video calls")
    await expect(ben.page.locator("#call-words")).to_have_text("Anna’s browser cannot make calls")
    await anna.visitor.press("Go on with text")
    await anna.visitor.write("I can only write")
    await ben.visitor.reads("I can only write")


@journey
async def test_a_seat_taken_before_the_page_says_that_this_browser_cannot_make_calls(stage: Stage) -> None:
    """The page of the call comes late: both seats are then taken, and `call:state` waits for the page."""
    anna, ben = await pair(stage)
    await anna.run("delete window.RTCPeerConnection")
    may_come = asyncio.Event()

    async def late(route: Route) -> None:
        await may_come.wait()
        await route.continue_()

    await anna.page.route(re.compile(r"/calls/[0-9a-f-]{36}$"), late)
    await anna.run(INVITE, [ben.user_id, ben.name])
    await ben.visitor.answer("Accept")
    await expect(ben.page.locator("#call-words")).to_have_text("Connecting…")  # Anna's seat is taken
    may_come.set()
    await expect(ben.page.locator("#call-words")).to_have_text("Anna’s browser cannot make calls")


@journey
async def test_a_socket_that_never_opens_is_told(stage: Stage) -> None:
    """As behind a proxy without WebSocket support."""
    visitor = await stage.visitor("Anna")
    dead = """window.WebSocket = class extends EventTarget {
      static OPEN = 1; readyState = 3;
      constructor() { super(); setTimeout(() => this.onclose?.({ code: 1006 }), 50); }
      close() {}
    };"""
    await visitor.page.add_init_script(dead)
    await visitor.enrol()
    await visitor.go("/room")
    await visitor.sees("Live messages do not get through")


@journey
async def test_one_attempt_that_hangs_is_not_taken_for_a_proxy(stage: Stage) -> None:
    """As after a change of network while the page loads."""
    visitor = await stage.visitor("Anna")
    hangs_once = """
    let made = 0;
    const Real = WebSocket;
    window.WebSocket = class extends EventTarget {
      static OPEN = 1; readyState = 0;
      constructor(...all) { super(); if (made++) return new Real(...all); }
      close() {}
    };
    new MutationObserver(() => {
      window.wasWrong ||= document.body?.innerText.includes("Live messages do not get through");
    }).observe(document, { subtree: true, childList: true, attributes: true });"""
    await visitor.enrol()
    await visitor.page.add_init_script(hangs_once)
    await visitor.go("/room")
    await visitor.press("Go online")
    await visitor.sees("You are online")
    assert not await visitor.page.evaluate("window.wasWrong")
