"""A call in a browser that lacks what is newer than the oldest one we serve."""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright.async_api import expect

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
    await anna.visitor.answer(
        "Accept"
    )  # the first touch: it unlocks the sound, and hits what it was meant for
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())
