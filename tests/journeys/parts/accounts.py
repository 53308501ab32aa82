"""A guest keeps the profile and uses it on another device; a friend introduces two people."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.journeys.parts.accessibility import clean
from tests.journeys.people.visitor import Visitor
from tests.journeys.stage import DESKTOP, PHONE, Stage
from tests.journeys.test_intro import picture

PASSWORD = "quiet orange harbour 7"


async def keep_account(guest: Visitor, email: str) -> None:
    await guest.go("/settings")
    await guest.page.get_by_label("E-mail").fill(email)
    await guest.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await guest.press("Keep my account")
    await guest.at("/settings/recovery-codes")
    await expect(guest.page.locator(".recovery-codes li")).not_to_have_count(0)


async def kept_and_used_elsewhere(stage: Stage) -> None:
    laptop, phone = await stage.visitor("Zoe"), await stage.visitor("Zoe", PHONE)
    await laptop.enrol()
    await keep_account(laptop, "zoe@example.org")
    await picture(laptop, "codes")
    await clean(laptop.page)
    await laptop.page.set_viewport_size(DESKTOP.size)
    await laptop.go_online()
    await phone.go("/login")
    await phone.page.get_by_label("E-mail").fill("zoe@example.org")
    await phone.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await phone.press("Sign in", within="main")
    await phone.at("/room")
    await laptop.at("/login")
    await picture(laptop, "taken over")
    await laptop.sees("You are signed in on another device")
    await clean(laptop.page)
    await phone.go("/settings")
    await phone.sees("zoe@example.org")
    await picture(phone, "settings", whole=True)
    await phone.page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    await clean(phone.page)
    await ways_back(laptop)


async def ways_back(zoe: Visitor) -> None:
    """All values are wrong: the texts of the errors are under test."""
    zoe.expect_trouble("401|422")
    await zoe.go("/login")  # as axe found it, htmx would copy what axe left on it
    await zoe.page.get_by_label("E-mail").fill("zoe@example.org")
    await zoe.page.get_by_label("Password", exact=True).fill("not my password at all")
    await zoe.press("Use it here", within="main")
    await zoe.sees("Not quite there yet")
    await clean(zoe.page)
    await zoe.go("/recover")
    await zoe.press("Save and sign in")
    await zoe.sees("Not quite there yet")
    await clean(zoe.page)
    for path in ("/recover?by=mail", "/recover?link=nothing", "/recover/sent"):
        await zoe.go(path)
        await clean(zoe.page)


async def friend_introduces_two(stage: Stage) -> None:
    ann = await stage.visitor("Ann")
    ben, cleo = await stage.visitor("Ben"), await stage.visitor("Cleo", PHONE)
    await asyncio.gather(ann.enrol(), ben.enrol())
    await asyncio.gather(ann.go_online(), ben.go_online())
    card = await ann.find_card(ben)
    await ann.touch(card.get_by_role("button", name="Introduce a friend to Ben"))
    await ann.sees("Introduce a friend to Ben")
    await picture(ann, "link")
    link = await ann.page.locator(".invite-link a").get_attribute("href")
    await cleo.go(link or "")
    await cleo.sees("Ann introduces you two")
    await picture(cleo, "meet")
    await cleo.fill_profile()
    await cleo.take_selfie()
    await cleo.at("/room")  # the link had Ann's invite code in it
    await cleo.go_online()
    await expect(cleo.page.locator("article").first).to_have_attribute("data-user-id", ben.user_id or "")
    await cleo.sees("Ann introduced you two")
    await picture(cleo, "room")
    card = await ben.find_card(cleo)
    await expect(card).to_contain_text("Ann introduced you two")
