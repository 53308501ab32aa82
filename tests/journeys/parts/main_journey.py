"""The main job of the product, from the landing page to the history, in two browsers."""

from __future__ import annotations

import asyncio
import json

from playwright.async_api import expect

from tests.journeys.people.visitor import Visitor
from tests.journeys.stage import Device, Stage
from tests.support.pace import within


async def walk(stage: Stage, device: Device, caller: str, callee: str) -> None:
    anna, ben = await stage.visitor(caller, device), await stage.visitor(callee, device)
    await anna_pays(anna)
    link = await anna.scanned_invite()
    await ben_comes_by_the_code(ben, link)
    await asyncio.gather(anna.go_online(), ben.go_online())
    await ring(anna, ben)
    await asyncio.gather(anna.in_call(), ben.in_call())
    assert anna.call_id == ben.call_id
    await talk(anna, ben)
    await end_at_zero(anna, ben)
    await look_back(anna, ben)


async def anna_pays(anna: Visitor) -> None:
    await anna.go("/")
    await anna.press("Get started", within="main")
    await anna.fill_profile("A woman")
    await anna.take_selfie(retake=True)
    await anna.at("/paywall")
    await anna.pay()
    await anna.sees("You can invite 4 friends")


async def ben_comes_by_the_code(ben: Visitor, link: str) -> None:
    await ben.go(link)
    await ben.sees("invited you")
    await ben.fill_profile("A man")
    await ben.take_selfie()
    await ben.at("/room")


async def ring(anna: Visitor, ben: Visitor) -> None:
    """Both see each other without a reload; Anna asks for a minute, and Ben accepts."""
    await asyncio.gather(anna.find_card(ben), ben.find_card(anna))
    await expect(anna.page.locator("#talk-words")).to_have_text("Talk to him")
    await anna.invite(ben, "1 min")
    await expect(ben.ring).to_contain_text(f"{anna.name}")
    await expect(ben.ring).to_contain_text("would like to talk for 1 min")
    await ben.choose("3 min", within="#ring")
    await expect(ben.ring).to_contain_text("You would talk for 2 min")
    await ben.choose("1 min", within="#ring")
    await expect(ben.ring).to_contain_text("You would talk for 1 min")
    await expect(anna.ring).to_contain_text("Ringing, for 1 min")
    await ben.answer("Accept")


async def talk(anna: Visitor, ben: Visitor) -> None:
    await asyncio.gather(anna.sees_video(), ben.sees_video())
    left = await asyncio.gather(anna.remaining_ms(), ben.remaining_ms())
    assert abs(left[0] - left[1]) < 1000
    assert 30_000 < left[0] <= 60_000
    await anna.write("Hello over there <b>")
    await ben.reads("Hello over there <b>")
    await ben.write("And hello to you")
    await anna.reads("And hello to you")
    for visitor in (anna, ben):
        await visitor.press("Close chat")
    await mute_and_darken(anna, ben)


async def mute_and_darken(anna: Visitor, ben: Visitor) -> None:
    await anna.press("Mute")
    await expect(ben.page.locator("#call-words")).to_have_text(f"{anna.name} is muted")
    await anna.press("Unmute")
    await expect(ben.page.locator("#call-words")).to_have_text("")
    await ben.press("Camera off")
    await expect(anna.page.locator("#peer-words")).to_have_text(f"{ben.name} has the camera off")
    await expect(anna.page.locator("#call-stage")).to_have_attribute("data-picture", "no")
    await ben.press("Camera on")
    await expect(anna.page.locator("#call-stage")).to_have_attribute("data-picture", "yes")
    await anna.sees_video()


NOTE_THE_END = """
  const call = document.getElementById("call");
  let zeroAt = 0;
  const look = () => { if (call.dataset.remaining === "0") zeroAt ||= Date.now(); };
  new MutationObserver(look).observe(call, { attributeFilter: ["data-remaining"] });
  document.body.addEventListener("call:end", () => {
    const [at, left] = [Date.now(), Number(call.dataset.remaining)];
    sessionStorage.setItem("end", JSON.stringify({ at, left, late: zeroAt ? at - zeroAt : 0 }));
  });
"""


async def end_at_zero(anna: Visitor, ben: Visitor) -> None:
    """The server ends it for both at the same instant; the screens show it within a second."""
    call_id = anna.call_id
    for visitor in (anna, ben):
        await visitor.page.evaluate(f"() => {{ {NOTE_THE_END} }}")
    ends = await asyncio.gather(*(end_of(visitor) for visitor in (anna, ben)))
    most = within(1000)
    assert abs(ends[0]["at"] - ends[1]["at"]) < most, ends
    assert all(end["left"] < 1000 and end["late"] < most for end in ends), ends
    told = await asyncio.gather(*(told_of(visitor, call_id) for visitor in (anna, ben)))
    assert told[0] == told[1] == ("expired", 60), told
    for visitor in (anna, ben):
        await visitor.sees("The time you agreed on was up")
        await expect(visitor.page.locator(".ended-length")).to_contain_text("1:00")


async def end_of(visitor: Visitor) -> dict[str, int]:
    """Waits for it; the time of the message, the value of the clock, and how long that had been
    zero. In ms.
    """
    await expect(visitor.page.locator("#call-ended")).to_be_visible(timeout=75_000)
    told: dict[str, int] = json.loads(await visitor.page.evaluate("sessionStorage.getItem('end')"))
    return told


async def told_of(visitor: Visitor, call_id: str) -> tuple[str, int]:
    """Why and after how many seconds the call ended, as the server says."""
    ask = visitor.context.request
    answer = await ask.get(f"/calls/{call_id}", headers={"Accept": "application/json"})
    call = await answer.json()
    return call["endedReason"], call["connectedSeconds"]


async def look_back(anna: Visitor, ben: Visitor) -> None:
    for visitor, partner in ((anna, ben), (ben, anna)):
        await visitor.press("History", within="main")
        row = visitor.page.locator(".call-row")
        await expect(row).to_have_count(1)
        await expect(row.get_by_role("heading")).to_have_text(partner.name)
        await expect(row.locator(".call-row-length")).to_contain_text("1:00")
        await visitor.touch(row.get_by_text("2 messages"))
        await expect(row.get_by_text("Hello over there <b>")).to_be_visible()
        await expect(row.get_by_text("And hello to you")).to_be_visible()
    await asyncio.gather(anna.go("/room"), ben.go("/room"))
    await cooling_down(anna, ben)


async def cooling_down(anna: Visitor, ben: Visitor) -> None:
    card = await anna.find_card(ben)
    await expect(card).to_contain_text("Again in")
    await expect(anna.page.locator("#talk-words")).to_have_text("Not yet")
    await expect(anna.page.locator("#talk")).to_have_attribute("aria-disabled", "true")
    await ben.find_card(anna)
