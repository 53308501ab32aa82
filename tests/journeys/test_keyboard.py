"""From the landing page into a call with only the keyboard."""

from __future__ import annotations

from playwright.async_api import expect

from tests.journeys.parts.keyboard import answer, pay, ring, sign_up, use_the_call
from tests.journeys.stage import Stage, journey


@journey
async def test_from_landing_into_a_call(stage: Stage) -> None:
    xena, yann = await stage.visitor("Xena"), await stage.visitor("Yann")
    await yann.enrol(gender="male")
    await yann.go_online()
    await sign_up(xena)
    await pay(xena)
    await ring(xena, yann)
    await expect(yann.ring).to_contain_text("Xena")
    await answer(yann)
    await xena.in_call()
    await use_the_call(xena, yann)
