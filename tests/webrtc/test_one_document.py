"""Room, call and end of call are one document: what stays open, what is freed, Back and Forward, focus."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.journeys.people.visitor import until
from tests.journeys.stage import PHONE, Stage, journey
from tests.webrtc.callers import INVITE, Caller, caller, hang_up, pair, ring, talk
from tests.webrtc.test_life import HIDE

MARK = "window.sameDocument = true"
KEPT = "window.sameDocument === true"
OPENED = "[seen.asked, seen.opened.filter((path) => path === 'invites').length]"
OWN = "document.getElementById('local-video')"
# Packets of media that any connection of this page has sent.
SENT = """async () => {
  let sent = 0;
  for (const pc of seen.pcs) if (pc.connectionState !== "closed")
    (await pc.getStats()).forEach((one) => { if (one.type === "outbound-rtp") sent += one.packetsSent; });
  return [sent, seen.pcs.length];
}"""
A_MINUTE_IS_SHORT = """const later = window.setTimeout;
window.setTimeout = (run, ms, ...more) => later(run, ms === 60000 ? 1 : ms, ...more);
"""
NO_REPORTS = """() => {
  bend.delay = (message) => (message.type === "media:state" ? [] : [{ message, ms: 0 }]);
}"""


async def shown(one: Caller, title: str) -> None:
    """The page with that title, with the focus on its heading, in the same document as before."""
    await expect(one.page).to_have_title(f"{title} · Napalm Sky")
    await expect(one.page.locator("main h1")).to_be_focused()
    await until(lambda: one.run("seen.spoken"), lambda spoken: title in spoken)
    assert await one.run(KEPT)


@journey
async def test_an_evening_opens_socket_and_devices_once(stage: Stage) -> None:
    anna, ben = await pair(stage)
    for one in (anna, ben):
        await one.run(MARK)
        await until(lambda one=one: one.run(f"{OWN}.videoWidth"), lambda width: width > 0)  # type: ignore[misc]
        assert await one.run(SENT) == [0, 0]
    for _ in range(2):
        await talk(anna, ben)
        await shown(anna, "Call with Ben")
        await shown(ben, "Call with Anna")
        assert await anna.run("document.querySelector('h1').offsetWidth") == 1  # for screen readers only
        await hang_up(anna, ben)
        for one in (anna, ben):
            await shown(one, "Call ended")
            await one.visitor.sees("You are online")
            await one.visitor.press("Back to the room")
            await shown(one, "The room")
            await expect(one.page.locator(".site-nav [aria-current]")).to_have_text("Room")
            assert await one.run(OPENED) == [1, 1]
            assert await one.run(f"!{OWN}.paused && {OWN}.srcObject.active")


@journey
async def test_no_media_is_sent_before_the_ring_is_accepted(stage: Stage) -> None:
    anna, ben = await pair(stage)
    await anna.run(INVITE, [ben.user_id, "Ben"])
    await expect(ben.visitor.ring).to_be_visible()
    for one in (anna, ben):
        await until(lambda one=one: one.run(f"{OWN}.videoWidth"), lambda width: width > 0)  # type: ignore[misc]
        assert await one.run(SENT) == [0, 0]
    await ben.visitor.answer("Accept")
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())
    assert (await anna.run(SENT))[0] > 0


@journey
async def test_back_and_forward_after_a_call(stage: Stage) -> None:
    anna, ben = await pair(stage)
    await talk(anna, ben)
    await anna.run(MARK)
    await hang_up(anna, ben)
    call = anna.page.url
    await anna.visitor.press("Back to the room")
    await shown(anna, "The room")
    await anna.page.go_back()
    await shown(anna, "Call ended")
    assert anna.page.url == call
    await anna.page.go_back()
    await anna.visitor.at("/room")
    await shown(anna, "The room")
    await anna.page.go_forward()
    await shown(anna, "Call ended")
    assert await anna.run(OPENED) == [1, 1]
    await anna.page.reload()
    await expect(anna.page.locator("#call-ended")).to_be_visible()
    await expect(anna.page).to_have_title("Call ended · Napalm Sky")


@journey
async def test_back_leaves_a_call_and_forward_returns_to_it(stage: Stage) -> None:
    anna, ben = await pair(stage, device=PHONE)
    await talk(anna, ben)
    await anna.run(MARK)
    await anna.page.go_back()
    await shown(anna, "The room")
    await expect(anna.page.locator("#call-banner")).to_contain_text("You are in a call.")
    await expect(anna.page.locator("#remote-video")).to_be_hidden()
    assert await anna.run("document.getElementById('remote-video').srcObject") is None
    await ben.visitor.sees("Reconnecting… The clock waits")
    await anna.page.go_forward()
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())
    await asyncio.gather(anna.visitor.sees_video(5), ben.visitor.sees_video(5))
    await expect(anna.page.locator("#call-banner")).to_have_count(0)
    await anna.page.go_back()
    await anna.visitor.press("Go to the call")
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())
    assert await anna.run(KEPT)
    assert await anna.run(OPENED) == [1, 1]


@journey
async def test_a_break_closes_the_devices_and_is_remembered(stage: Stage) -> None:
    visitor = await stage.visitor("Anna")
    await visitor.enrol()
    await visitor.go_online()  # by one tap
    await expect(visitor.page.locator("#local-video")).to_be_visible()
    await visitor.go("/room")  # by none
    await visitor.sees("You are online")
    await expect(visitor.page.locator("#local-video")).to_be_visible()
    await visitor.press("Take a break")
    await visitor.sees("You are not online")
    await expect(visitor.page.locator("#local-video")).to_be_hidden()
    await visitor.page.reload()
    await visitor.sees("You are not online")
    await expect(visitor.page.locator("#local-video")).to_be_hidden()


@journey
async def test_a_hidden_tab_closes_the_camera_after_a_minute_and_says_so(stage: Stage) -> None:
    anna = await caller(stage, "Anna", scripts=A_MINUTE_IS_SHORT)
    await until(anna.alive, lambda left: left["tracks"] == 2)
    await anna.run(HIDE, True)
    await until(anna.alive, lambda left: left["tracks"] == 0)
    await anna.run(HIDE, False)
    await anna.visitor.sees("Your camera was off while this tab was in the background.")
    await until(anna.alive, lambda left: left["tracks"] == 2)


@journey
async def test_a_hidden_tab_in_a_call_keeps_the_camera(stage: Stage) -> None:
    anna, ben = await pair(stage, scripts=A_MINUTE_IS_SHORT)
    await talk(anna, ben)
    await anna.run(HIDE, True)
    await ben.visitor.sees_video(10)
    assert (await anna.alive())["tracks"] == 2


@journey
async def test_nothing_is_said_about_a_peer_before_their_first_report(stage: Stage) -> None:
    anna = await caller(stage, "Anna")
    ben = await caller(stage, "Ben")
    await ben.run(NO_REPORTS)
    await ring(anna, ben)
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())
    for place in ("#peer-words", "#call-words"):
        await expect(anna.page.locator(place)).to_have_text("")
    assert await anna.sent("media:state")
    assert all(said["audio"] and said["camera"] for said in await anna.sent("media:state"))
