"""Names and lines that are markup, templates, htmx attributes or right to left: text on every page and
screen, no dialog, no request.
"""

from __future__ import annotations

import asyncio

from playwright.async_api import Dialog, Request, expect

from tests.journeys.people.visitor import Visitor
from tests.journeys.stage import PHONE, Stage, journey

MARKUP = "<img src=/pwned onerror=alert(1)>"
ATTRIBUTES = '" hx-get=/pwned hx-trigger=load x="'
LINES = [
    "<script>fetch('/pwned')</script>",
    "<div hx-get=/pwned hx-trigger=load>",
    '<a href="javascript:alert(1)">here</a>',
    "{{7*7}} ${7*7} {% raw %}",
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 a\u200bb",
]


@journey
async def test_words_are_only_words(stage: Stage) -> None:
    anna, ben = await stage.visitor(MARKUP), await stage.visitor(ATTRIBUTES, PHONE)
    for one in (anna, ben):
        trap(one)
    await asyncio.gather(anna.enrol(), ben.enrol(gender="male"))
    await asyncio.gather(anna.go_online(), ben.go_online())
    await expect((await anna.find_card(ben)).get_by_role("heading", name=ATTRIBUTES)).to_be_visible()
    await anna.invite(ben, "5 min")
    await expect(ben.ring).to_contain_text(MARKUP)
    await ben.answer("Accept")
    await asyncio.gather(anna.in_call(), ben.in_call())
    for line in LINES:
        await anna.write(line)
        await ben.reads(line)
    await anna.press("Close chat")
    await anna.press("End")
    for one, other in ((anna, ben), (ben, anna)):
        await expect(one.page.locator("#call-ended")).to_contain_text(other.name)
        await elsewhere(one, other)


async def elsewhere(one: Visitor, other: Visitor) -> None:
    """The places that show the texts after the call."""
    await one.go("/history")
    await one.sees(other.name)
    await one.touch(one.page.locator("details summary").first)
    for line in LINES:
        await one.sees(line)
    await one.go("/settings")
    await expect(one.page.get_by_label("Name", exact=True)).to_have_value(one.name)
    await one.go(f"/report?userId={other.user_id}")
    await one.go("/login")
    await one.sees(one.name)


def trap(one: Visitor) -> None:
    """A dialog or a request caused by the texts is an error."""

    async def opened(dialog: Dialog) -> None:
        one.troubles.append(f"a dialog: {dialog.message}")
        await dialog.dismiss()

    def asked(request: Request) -> None:
        if "pwned" in request.url or not request.url.startswith((one.server_url, "data:", "blob:")):
            one.troubles.append(f"a request: {request.url}")

    one.context.on("dialog", opened)
    one.context.on("request", asked)
