"""A visitor first learns what would prevent the sign-up: no cookies, an old browser, a page inside an app."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.journeys.stage import PHONE, Stage, journey

INSTAGRAM = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 Instagram 334.0.4.32.98 (iPhone14,5; iOS 17_5; en_US)"
)
NO_COOKIES = """
Object.defineProperty(Document.prototype, "cookie", { get: () => "", set: () => undefined });
Object.defineProperty(Navigator.prototype, "cookieEnabled", { get: () => false });
"""
FAULTS = {
    "Cookies are off in your browser.": {"scripts": NO_COOKIES},
    "This browser is too old for calls.": {"scripts": "delete window.HTMLDialogElement;"},
    "This browser cannot make video calls.": {"scripts": "delete window.RTCPeerConnection;"},
    "This page is open inside another app.": {"user_agent": INSTAGRAM},
}


@pytest.mark.parametrize("words", FAULTS)
@journey
async def test_it_is_told_before_signing_up(stage: Stage, words: str) -> None:
    kim = await stage.visitor("Kim", PHONE, **FAULTS[words])
    await kim.go("/onboarding")
    await kim.sees(words)


@journey
async def test_a_usual_browser_is_told_nothing(stage: Stage) -> None:
    kim = await stage.visitor("Kim", PHONE)
    for path in ("/", "/onboarding", "/login"):
        await kim.go(path)
        await expect(kim.page.locator("h1").first).to_be_visible()
        await expect(kim.page.locator(".support")).to_have_count(0)
    assert [cookie["name"] for cookie in await kim.context.cookies()] == ["_xsrf"]  # the probe is gone


@pytest.mark.parametrize("has_scripts", [True, False])
@journey
async def test_signing_up_without_cookies_names_the_cause(stage: Stage, *, has_scripts: bool) -> None:
    """The browser sends no cookie. With scripts and without, the answer names them."""
    kim = await stage.visitor("Kim", java_script_enabled=has_scripts)
    await kim.go("/onboarding")
    await kim.context.clear_cookies()
    await kim.fill_profile()
    await kim.sees("Cookies are off for this site")
    kim.expect_trouble("403")
    if not has_scripts:
        kim.expect_trouble(".js failed: csp")  # Chromium reports a preload of a script that may not run.
