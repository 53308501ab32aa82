"""Calls in the oldest browsers that we serve; pages where a network answers for the site, devices hang, or
canvases are changed.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright.async_api import Route, expect

from tests.journeys.stage import PHONE, Stage, journey
from tests.webrtc.callers import INVITE, Caller, caller, hang_up, pair, ring, talk

LACKS = (Path(__file__).parent / "lacks.js").read_text()
NO_STORAGE = """
for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, {
  get() { throw new DOMException("cookies are off", "SecurityError"); },
});
"""
PRESS = """(options) => document.body.dispatchEvent(
  new KeyboardEvent("keydown", { bubbles: true, ...options }))"""
AGAIN = """(messages) => {
  const said = { type: "call:state", callId: document.getElementById("call").dataset.callId, state: "running",
    polite: true, agreedSeconds: 1800, remainingMs: 61000, serverNow: Date.now(), peerHere: true, messages };
  seen.sockets.find(({ url }) => url.includes("/ws/calls/")).onmessage({ data: JSON.stringify(said) });
  return document.getElementById("call-timer").textContent; // before the server corrects it
}"""
SOCKETS = """seen.sockets = [];
window.WebSocket = class extends WebSocket { constructor(url) { super(url); seen.sockets.push(this); } };
"""
# The driver's own scripts count as touches; these do not.
UNTOUCHED = """
let isTouched = false;
addEventListener("pointerup", () => { isTouched = true; }, true);
Object.defineProperty(Navigator.prototype, "userActivation", { get: () => ({ hasBeenActive: isTouched }) });
"""
LINE = "[...document.querySelectorAll('.chat-log li')].map((line) => line.firstChild.textContent)"
PORTAL = (
    "<!doctype html><html><head><title>Hotel</title></head><body><h1>Welcome to our Wi-Fi</h1></body></html>"
)
POST = """async (path) => (await import("/static/safety.js")).post(path, { userId: crypto.randomUUID() })"""
WAYS_OUT = """async () => {
  const { findsWayOut } = await import("/static/media/readiness.js");
  window.RTCPeerConnection = class {
    createDataChannel() {}
    close() {}
    async setLocalDescription() { this.onicecandidate({}); }
  };
  return findsWayOut();
}"""
# The page's timers run a hundred times as fast, and the device never opens.
HANGS = """async (state) => {
  const { openWhatThereIs } = await import("/static/media/devices.js");
  const { troubleOfFaults } = await import("/static/troubles.js");
  const later = window.setTimeout;
  window.setTimeout = (run, ms, ...rest) => later(run, ms / 100, ...rest);
  Permissions.prototype.query = async () => ({ state });
  bend.hold = new Promise(() => {});
  const faults = await new Promise((asking) => { openWhatThereIs(undefined, { asking }); });
  window.setTimeout = later;
  return [faults.map(({ cause }) => cause), troubleOfFaults(faults).title];
}"""
NOISE = """
const read = CanvasRenderingContext2D.prototype.getImageData;
CanvasRenderingContext2D.prototype.getImageData = function (...box) {
  const image = read.apply(this, box);
  image.data.forEach((_, index) => { image.data[index] = index * 37 % 256; });
  return image;
};
"""


@journey
async def test_a_call_without_anything_newer(stage: Stage) -> None:
    anna, ben = await pair(stage, scripts=LACKS)
    await talk(anna, ben)
    await anna.visitor.write("Hello from 2022")
    await ben.visitor.reads("Hello from 2022")
    await anna.visitor.press("Close chat")
    await anna.visitor.press("Mute")
    await ben.visitor.sees("Anna is muted")
    await hang_up(anna, ben)


@journey
async def test_a_call_where_storage_is_forbidden(stage: Stage) -> None:
    anna = await caller(stage, "Anna")
    ben = await stage.visitor("Ben", scripts=NO_STORAGE)
    await ben.enrol(gender="male")
    await ben.go_online()
    await anna.run(INVITE, [ben.user_id, "Ben"])
    await ben.answer("Accept")
    await asyncio.gather(anna.visitor.in_call(), ben.in_call())


@journey
async def test_shortcuts_and_composition(stage: Stage) -> None:
    anna, ben = await pair(stage)
    await ring(anna, ben)
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())
    mute = anna.page.locator("#mute")
    pressed = "false"
    for key, code in (
        ("m", "KeyM"),
        ("ь", "KeyM"),
        (",", "KeyM"),
        ("m", "Semicolon"),
        ("μ", "KeyM"),
        ("M", "KeyM"),
    ):
        await anna.run(PRESS, {"key": key, "code": code})
        pressed = "true" if pressed == "false" else "false"
        await expect(mute).to_have_attribute("aria-pressed", pressed)
    for more in ("ctrlKey", "altKey", "metaKey", "shiftKey", "repeat", "isComposing"):
        await anna.run(PRESS, {"key": "m", "code": "KeyM", more: True})
    await anna.run(PRESS, {"key": "m", "code": "KeyM", "keyCode": 229})
    await expect(mute).to_have_attribute("aria-pressed", pressed)
    await composing(anna)


async def composing(anna: Caller) -> None:
    """Safari ends the composition before its Enter, which then has the key code 229 and nothing else."""
    await anna.visitor.press("Chat")
    await anna.page.get_by_label("Message", exact=True).fill("にほん")
    enter = """(options) => document.getElementById("chat-text").dispatchEvent(
      new KeyboardEvent("keydown", { bubbles: true, cancelable: true, key: "Enter", ...options }))"""
    await anna.run(enter, {"keyCode": 229, "isComposing": False})
    await anna.run(enter, {"keyCode": 13, "isComposing": True})
    await expect(anna.page.get_by_label("Message", exact=True)).to_have_value("にほん")
    await anna.run(enter, {"keyCode": 13})
    await expect(anna.page.get_by_label("Message", exact=True)).to_have_value("")


@journey
async def test_a_second_call_state_puts_missing_lines_in_their_place(stage: Stage) -> None:
    anna, ben = await pair(stage, scripts=SOCKETS)
    await ring(anna, ben)
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())
    lines = [
        {"messageId": f"0000000{n}", "from": ben.user_id, "text": text, "at": "2026-09-21T14:13:40.000Z"}
        for n, text in enumerate(["one", "two", "three", "four"])
    ]
    await anna.run(AGAIN, [lines[1], lines[3]])
    await anna.visitor.touch(anna.page.locator("#open-chat"))
    assert await anna.run(LINE) == ["two", "four"]
    for _ in range(2):
        assert await anna.run(AGAIN, lines) in ("1:01", "1:00")
        assert await anna.run(LINE) == ["one", "two", "three", "four"]


@journey
async def test_after_a_reload_a_phone_says_that_its_ring_is_silent(stage: Stage) -> None:
    anna, ben = await pair(stage, device=PHONE, scripts=UNTOUCHED)
    await anna.page.reload()
    await anna.visitor.sees("You are online")
    offer = anna.page.locator("#own > [data-sound-locked]")
    await expect(offer).to_be_visible()
    await ben.run(INVITE, [anna.user_id, "Anna"])
    tap = anna.visitor.ring.get_by_role("button", name="Tap for sound")
    await expect(tap).to_be_visible()
    assert "is calling you" in await anna.page.title()
    await anna.visitor.answer("Accept")  # the first touch unlocks the sound, and also presses its target
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())


async def portal(route: Route) -> None:
    """As networks with a login page, and filters of companies, answer: 200, and HTML."""
    await route.fulfill(status=200, content_type="text/html", body=PORTAL)


@journey
async def test_a_page_of_the_network_is_no_answer_of_the_site(stage: Stage) -> None:
    anna = await caller(stage, "Anna")
    await anna.page.route("**/block", portal)
    assert await anna.run(POST, "/block") is None
    await anna.visitor.sees("That did not get through")
    await anna.page.route("**/turn/credentials**", portal)
    assert await anna.run(WAYS_OUT)
    await anna.visitor.go("/settings")
    await anna.page.route("**/user/me", portal)
    form = anna.page.locator("#settings-profile form")
    await form.locator("button[type=submit]").first.click()
    await anna.visitor.sees("Something between you and the site answered instead")
    await expect(form).to_be_visible()
    await expect(anna.page.get_by_text("Welcome to our Wi-Fi")).to_have_count(0)


@journey
async def test_a_permitted_device_that_hangs_is_told(stage: Stage) -> None:
    anna = await caller(stage, "Anna")
    causes, title = await anna.run(HANGS, "granted")
    assert (causes, title) == (["slow", "slow"], "Your camera or microphone does not start")
    causes, _ = await anna.run(HANGS, "prompt")
    assert causes == ["asking", "asking"]


@journey
async def test_a_browser_that_changes_pictures_says_so(stage: Stage) -> None:
    """As Firefox with resistFingerprinting: the selfie would be noise."""
    anna = await stage.visitor("Anna", scripts=NOISE)
    ask = anna.context.request
    guest = await ask.post("/auth/guest", data={"name": "Anna", "gender": "female", "adult": True})
    token = (await guest.json())["sessionToken"]
    await anna.context.add_cookies([{"name": "session", "value": token, "url": stage.server.url}])
    await anna.go("/onboarding")
    await anna.page.locator('[data-camera="open"]').first.click()
    await anna.page.locator('[data-camera="shoot"]').first.click()
    await anna.sees("This browser changes the pictures that a page takes.")
