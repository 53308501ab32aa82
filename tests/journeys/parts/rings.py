"""How a ring ends without a call, in the words of both sides."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import expect

from tests.journeys.people.visitor import Visitor
from tests.journeys.stage import PHONE, Stage


async def missed(stage: Stage) -> None:
    nora, otto = await ringing(stage, "Nora", "Otto")
    await expect(nora.ring).to_contain_text("Otto did not answer. Maybe they stepped away.", timeout=30_000)
    await expect(otto.ring).to_be_hidden()
    await otto.sees("You missed a call from Nora.")
    await nora.answer("Close")
    await expect(nora.card(otto)).to_contain_text("Again in 1 h")


async def declined(stage: Stage) -> None:
    pia, quin = await ringing(stage, "Pia", "Quin")
    await quin.answer("Decline")
    await expect(quin.ring).to_be_hidden()
    await expect(pia.ring).to_contain_text("Quin cannot talk right now. Someone else might be glad to.")
    await pia.answer("Close")
    await expect(pia.card(quin)).to_contain_text("Again in 24 h")


async def cancelled(stage: Stage) -> None:
    """After an extension, at which both countdowns restart."""
    rosa, sven = await ringing(stage, "Rosa", "Sven")
    await rosa.answer("Keep waiting")
    await expect(rosa.ring).to_contain_text("Still ringing…")
    for ring in (rosa.ring, sven.ring):
        await expect(ring.locator(".ring-left")).to_have_text(re.compile("0:[234][0-9]"))
    await rosa.answer("Cancel")
    await expect(rosa.ring).to_be_hidden()
    await expect(sven.ring).to_be_hidden()
    await sven.sees("Rosa stopped ringing.")


async def answered_in_another_tab(stage: Stage) -> None:
    """All tabs ring; the first answer stops the others."""
    tina, ulf = await stage.visitor("Tina", PHONE), await stage.visitor("Ulf", PHONE)
    await asyncio.gather(tina.enrol(), ulf.enrol())
    await asyncio.gather(tina.go_online(), ulf.go_online())
    first = ulf.page
    await ulf.open_tab()
    await ulf.go("/history")
    await tina.invite(ulf, "3 min")
    await expect(first.locator("dialog#ring")).to_be_visible()
    await ulf.answer("Decline")
    await expect(first.locator("dialog#ring")).to_be_hidden()
    await expect(first.get_by_text("Declined in another tab.").first).to_be_attached()


async def ringing(stage: Stage, caller: str, callee: str) -> tuple[Visitor, Visitor]:
    one, other = await stage.visitor(caller, PHONE), await stage.visitor(callee, PHONE)
    await asyncio.gather(one.enrol(), other.enrol())
    await asyncio.gather(one.go_online(), other.go_online())
    await one.invite(other, "5 min")
    await expect(other.ring).to_contain_text(caller)
    return one, other
