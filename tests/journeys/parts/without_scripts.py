"""With JavaScript off everything but the camera and the call works: plain links and forms."""

from __future__ import annotations

from playwright.async_api import expect

from tests.journeys.stage import PHONE, Stage


async def all_but_the_call(stage: Stage) -> None:
    vera, walt = await stage.visitor("Vera", PHONE, java_script_enabled=False), await stage.visitor("Walt")
    vera.expect_trouble("422")  # what she gets wrong on purpose
    vera.expect_trouble(r"/static/.*\.js failed: csp")  # so Chromium calls a script that is switched off
    await walt.enrol()
    await walt.go_online()
    await vera.go("/")
    await vera.press("Get started", within="main")
    await vera.press("Continue", within="main")
    await vera.sees("Not quite there yet")
    await vera.fill_profile()
    await vera.choose_photo()
    await vera.press("Upload this photo")
    await vera.at("/paywall")
    await vera.page.get_by_label("Have a friend’s code?").fill("not a code")
    await vera.press("Use code")
    await expect(vera.page.locator("#invite-code-error")).to_be_visible()
    await vera.pay()
    await vera.press("Go to the room")
    await expect(vera.card(walt)).to_be_visible()
    await vera.press("History")
    await vera.sees("No calls yet")
    await vera.press("Settings")
    await vera.page.get_by_label("Name", exact=True).fill("Vera Lynn")
    await vera.press("Save")
    await expect(vera.page.get_by_role("heading", level=1)).to_have_text("Vera Lynn")
    await vera.press("Sign out for good")
    await vera.at("/")
    await vera.sees("Get started")
