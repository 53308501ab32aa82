"""An evening of two users: sign-up, ring, call, history. It goes by what they see, in any engine."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from playwright.async_api import expect

from tests.journeys.people.screen import until
from tests.journeys.people.visitor import Visitor

PICTURES = os.environ.get("ENGINE_PICTURES", "")
SMALL = {"upright": (320, 568), "lying": (844, 390)}
OUTSIDE = """() => {
  const wide = document.scrollingElement.scrollWidth > innerWidth;
  const all = [...document.querySelectorAll("button, a[href], input, select, textarea")];
  const shown = all.filter((one) => one.offsetParent && !one.closest(".visually-hidden, .skip")
    && getComputedStyle(one).visibility === "visible");
  const cut = shown.filter((one) => {
    const { left, right } = one.getBoundingClientRect();
    return right > left && (left < -1 || right > innerWidth + 1);
  });
  return [...(wide ? ["the page scrolls sideways"] : []), ...cut.map((one) => one.outerHTML.slice(0, 120))];
}"""

CONTEXTS = """
window.contexts = [];
window.AudioContext = class extends AudioContext {
  constructor(...options) { super(...options); contexts.push(this); }
};
"""
STATES = "contexts.map(({ state }) => state)"


async def rings_aloud_after_every_load(one: Visitor) -> None:
    """A touch anywhere unlocks the ring tone, however the page was loaded. `one` has the script CONTEXTS."""
    await one.enrol()
    for load in (
        lambda: one.go("/room"),
        lambda: one.page.reload(),
        lambda: by_link(one),
        lambda: by_history(one),
    ):
        await load()
        await one.at("/room")
        await one.touch(one.page.locator("#availability-words"))
        await until(lambda: one.page.evaluate(STATES), lambda states: "running" in states)
        assert not await one.page.locator("[data-sound-locked]").first.is_visible()


async def by_link(one: Visitor) -> None:
    await one.press("History")
    await one.at("/history")
    await one.press("Room")


async def by_history(one: Visitor) -> None:
    await one.go("/terms")
    await one.page.go_back()


async def look(visitor: Visitor, name: str) -> None:
    """Nothing is cut off on a small screen, in portrait and landscape."""
    page = visitor.page
    usual = page.viewport_size
    assert usual is not None
    for way, (width, height) in SMALL.items():
        await page.set_viewport_size({"width": width, "height": height})
        if PICTURES:
            visitor.expect_trouble("style-src-elem|csp-report")  # Playwright's own style, in Firefox
            await page.route("**/csp-report", lambda route: route.fulfill(status=204))
            path = Path(PICTURES) / f"{visitor.name}-{name}-{way}.png"
            await page.screenshot(path=path, caret="initial")  # hiding it needs an inline style
        assert await page.evaluate(OUTSIDE) == [], (name, way)
    await page.set_viewport_size(usual)


async def evening(caller: Visitor, callee: Visitor) -> None:
    await asyncio.gather(caller.join(), callee.enrol(gender="male"))
    await asyncio.gather(caller.go_online(), callee.go_online())
    await ring(caller, callee)
    await asyncio.gather(caller.in_call(), callee.in_call())
    await asyncio.gather(caller.sees_video(), callee.sees_video())
    await chat(caller, callee)
    await darken(caller, callee)
    await reload(caller, callee)
    await end(caller, callee)


async def ring(caller: Visitor, callee: Visitor) -> None:
    await caller.find_card(callee)
    await look(caller, "room")
    await caller.invite(callee, "5 min")
    await expect(callee.ring).to_contain_text(f"{caller.name}")
    tree = await callee.ring.aria_snapshot()
    assert 'button "Accept"' in tree
    assert 'button "Decline"' in tree
    await look(callee, "ring")
    await callee.answer("Accept")


async def chat(caller: Visitor, callee: Visitor) -> None:
    await look(caller, "call")
    await caller.write("Hello over there")
    await callee.reads("Hello over there")
    await callee.write("And hello to you")
    await caller.reads("And hello to you")
    await look(caller, "chat")
    for visitor in (caller, callee):
        await visitor.press("Close chat")


async def darken(caller: Visitor, callee: Visitor) -> None:
    for one, other in ((caller, callee), (callee, caller)):
        await one.press("Camera off")
        await other.sees(f"{one.name} has the camera off")
        await one.press("Camera on")
        await other.sees_video()


async def reload(caller: Visitor, callee: Visitor) -> None:
    """The same call goes on, with its chat."""
    for one, other in ((caller, callee), (callee, caller)):
        await one.page.reload()
        await one.in_call()
        await asyncio.gather(one.sees_video(), other.sees_video())
    await caller.reads("And hello to you")
    await caller.press("Close chat")


async def end(caller: Visitor, callee: Visitor) -> None:
    await callee.press("End")
    for one, other in ((caller, callee), (callee, caller)):
        await one.sees("One of you ended the call")
        await one.press("History", within="main")
        row = one.page.locator(".call-row")
        await expect(row.get_by_role("heading")).to_have_text(other.name)
        await one.touch(row.get_by_text("2 messages"))
        await expect(row.get_by_text("Hello over there")).to_be_visible()
