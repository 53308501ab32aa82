"""axe-core finds nothing serious or critical on any page, in both themes, wide and narrow."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from playwright.async_api import Page, expect

from tests.conftest import ROOT
from tests.journeys.people.moderator import Moderator, moderator
from tests.journeys.people.visitor import Visitor
from tests.journeys.stage import DESKTOP, PHONE, Stage

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
REPORT = "/report?userId=00000000-0000-4000-8000-000000000000"
UNKNOWN_CALL = "/calls/00000000-0000-4000-8000-000000000000"
NOBODY = "/admin/people/00000000-0000-4000-8000-000000000000"
SCREENS = ((1280, 800), (932, 430), (844, 390), (390, 844))
COVERED = """() => [...document.querySelectorAll(".call-safety button")].filter((button) => {
  const { left, right, top, bottom } = button.getBoundingClientRect();
  return !button.contains(document.elementFromPoint((left + right) / 2, (top + bottom) / 2));
}).map((button) => button.id)"""
CONSOLE = (
    "/admin", "/admin/reports", "/admin/people?q=Benno", "/admin/codes", "/admin/payments",
    "/admin/transparency",
    "/admin/audit?verify=1", NOBODY,
)  # fmt: skip


async def members_pages(stage: Stage) -> None:
    zoe = await stage.visitor("Zoe", PHONE, color_scheme="dark")
    finn = await stage.visitor("Finn", PHONE, color_scheme="dark")
    await finn.enrol(gender="male")
    await outside(zoe)
    await joining(zoe)
    await inside(zoe)
    await recording(zoe)
    await unsure(zoe)
    await meeting(zoe, finn)


async def outside(zoe: Visitor) -> None:
    zoe.expect_trouble("40[14]|422")
    for path in (
        "/",
        "/terms",
        "/privacy",
        "/nowhere",
        "/login",
        "/recover",
        "/admin/sign-in",
        "/deleted",
        "/too-young",
        "/onboarding",
    ):
        await zoe.go(path)
        await clean(zoe.page)
    await zoe.press("Continue", within="main")
    await zoe.sees("Not quite there yet")
    await clean(zoe.page)


async def joining(zoe: Visitor) -> None:
    await zoe.fill_profile()
    await zoe.sees("Nice to meet you")
    await clean(zoe.page)
    await zoe.press("Open the camera")
    await zoe.press("Take the photo")
    await clean(zoe.page)
    await zoe.press("Use this photo")
    await zoe.at("/paywall")
    await clean(zoe.page)
    await zoe.press("Pay $0.01")
    await zoe.sees("This is a test checkout")
    await clean(zoe.page)
    await zoe.press("Pretend to pay $0.01")
    await zoe.sees("You are in")
    await clean(zoe.page)


async def inside(zoe: Visitor) -> None:
    for path in ("/history", "/settings", "/receipt", REPORT, UNKNOWN_CALL, "/room"):
        await zoe.go(path)
        await clean(zoe.page)


async def unsure(zoe: Visitor) -> None:
    """Deleting everything, without the word."""
    await zoe.go("/settings/delete")
    await clean(zoe.page)
    await zoe.press("Delete everything for good")
    await expect(zoe.page.locator("#delete-confirm-error")).to_be_visible()
    await clean(zoe.page)


async def recording(zoe: Visitor) -> None:
    await zoe.go("/settings")
    await zoe.press("Record one")
    await zoe.press("Start recording")
    await clean(zoe.page)


async def introducing(zoe: Visitor, finn: Visitor) -> None:
    """The link to share, and what it shows to a user who may not use it."""
    card = await zoe.find_card(finn)
    await zoe.touch(card.get_by_role("button", name="Introduce a friend to Finn"))
    await zoe.sees("Introduce a friend to Finn")
    await clean(zoe.page)
    await zoe.go(await zoe.page.locator(".invite-link a").get_attribute("href") or "")
    await clean(zoe.page)
    await zoe.go("/room")


async def meeting(zoe: Visitor, finn: Visitor) -> None:
    await asyncio.gather(zoe.go_online(), finn.go_online())
    await zoe.find_card(finn)
    await clean(zoe.page)
    await introducing(zoe, finn)
    await zoe.find_card(finn)
    await zoe.invite(finn, "5 min")
    await expect(finn.ring).to_be_visible()
    await clean(zoe.page)
    await clean(finn.page)
    await finn.answer("Accept")
    await asyncio.gather(zoe.in_call(), finn.in_call())
    await clean(zoe.page)
    await zoe.write("Does this read well?")
    await finn.reads("Does this read well?")
    await clean(zoe.page)
    await clean(finn.page)
    await nothing_covers_the_safety_buttons(zoe)
    await finn.press("Close chat")
    await finn.press("Devices")
    await clean(finn.page)
    await finn.press("End")
    await expect(zoe.page.locator("#call-ended")).to_be_visible()
    await clean(zoe.page)
    await zoe.press("History", within="main")
    await zoe.at("/history")
    await clean(zoe.page)


async def nothing_covers_the_safety_buttons(zoe: Visitor) -> None:
    """With the chat open and closed, on screens of either orientation."""
    for is_open in (True, False):
        if not is_open:
            await zoe.press("Close chat")
        for width, height in SCREENS:
            await zoe.page.set_viewport_size({"width": width, "height": height})
            assert await zoe.page.evaluate(COVERED) == [], (is_open, width, height)
    await zoe.page.set_viewport_size(PHONE.size)


async def consoles_pages(stage: Stage) -> None:
    """As an admin sees them, with everything unfolded."""
    ada = await moderator(stage, "Ada", "admin", PHONE, clean)
    await (await stage.visitor("Benno Paid")).enrol()
    await ada.sign_in_again(clean)
    ada.screen.expect_trouble("404")
    for path in CONSOLE:
        await ada.screen.go(path)
        await unfolded(ada)
    await ada.screen.go("/admin/staff")
    await ada.screen.page.get_by_label("Name or e-mail").fill(f"Olga {time.time_ns()}")
    await ada.screen.page.locator("#reason").fill("Helps out.")
    await ada.screen.press("Make a link")
    await ada.screen.sees("Give them this link.")
    await unfolded(ada)


async def unfolded(ada: Moderator) -> None:
    await ada.screen.page.evaluate(
        "for (const fold of document.querySelectorAll('details')) fold.open = true"
    )
    await clean(ada.screen.page)


async def clean(page: Page) -> None:
    """On a phone in the dark theme, and on a wide screen in the light one."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text())
    await _clean(page)
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size(DESKTOP.size)
    await _clean(page)
    await page.emulate_media(color_scheme="dark")
    await page.set_viewport_size(PHONE.size)


async def _clean(page: Page) -> None:
    found = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    grave = [told(violation) for violation in found["violations"] if violation["impact"] in GRAVE]
    assert not grave, f"{page.url}: {grave}"


def told(violation: dict[str, Any]) -> str:
    nodes = [f"{node['html'][:200]} ({node['any'][:1]})" for node in violation["nodes"][:3]]
    return f"{violation['id']}: {'; '.join(nodes)}"
