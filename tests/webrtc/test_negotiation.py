"""Perfect negotiation under stress: glare, replays, late and reordered candidates, both restarting."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tests.journeys.people.visitor import until
from tests.journeys.stage import Stage, journey
from tests.webrtc.callers import Caller, couple, pair, talk

# At the same instant on both sides: another sender, which must appear on the other side and is then removed.
ADD = """async ([round, at]) => {
  const { pc } = napalmCall;
  window.arrived ??= 0;
  if (!window.counting) pc.addEventListener('track', () => { window.arrived += 1; });
  window.counting = true;
  const track = seen.tracks.find(({ kind }) => kind === 'video').clone();
  while (performance.timeOrigin + performance.now() < at) await 0;
  window.added = pc.addTransceiver(track, { direction: 'sendrecv' });
}"""
REMOVE = """() => { added.sender.track.stop(); added.stop(); }"""
CALM = """() => {
  const ways = napalmCall.pc.getTransceivers().map(({ currentDirection }) => currentDirection ?? 'inactive');
  const open = ways.filter((way) => way !== 'inactive' && way !== 'stopped').length;
  return [napalmCall.pc.signalingState, window.arrived, open];
}"""
# Each candidate on its own, the first one last, up to two seconds late.
LATE = """
bend.delay = (message) => message.type !== 'rtc:ice' ? null
  : message.candidates.map((candidate, index, { length }) =>
    ({ message: { ...message, candidates: [candidate] }, ms: 2000 * (length - index) / length }));
"""


@journey
async def test_both_add_tracks_at_once_6_times(stage: Stage) -> None:
    await glare(stage, 6)


@pytest.mark.prove
@journey(seconds=600)
async def test_both_add_tracks_at_once_200_times(stage: Stage) -> None:
    await glare(stage, 200)


async def glare(stage: Stage, rounds: int) -> None:
    anna, ben = await couple(stage)
    offers = await anna.offers() + await ben.offers()
    for number in range(rounds):
        at = time.time() * 1000 + 60
        await asyncio.gather(*(one.run(ADD, [number, at]) for one in (anna, ben)))
        for one in (anna, ben):
            await settles(one, 4, number + 1)
        await asyncio.gather(*(one.run(REMOVE) for one in (anna, ben)))
        for one in (anna, ben):
            await settles(one, 2, number + 1)
    made = await anna.offers() + await ben.offers() - offers
    assert made > 2 * rounds, "they never met"
    for one in (anna, ben):
        assert len(await one.run("seen.pcs")) == 1
        await one.visitor.sees_video(3)


async def settles(one: Caller, open_ways: int, arrived: int) -> None:
    """Stable, and the tracks that the other side has added are visible here."""
    await until(lambda: one.run(CALM), lambda now: now == ["stable", arrived, open_ways])


@journey
async def test_an_old_offer_changes_nothing(stage: Stage) -> None:
    anna, ben = await couple(stage)
    offerer, answerer = (anna, ben) if await anna.sent("rtc:offer") else (ben, anna)
    offer = (await offerer.sent("rtc:offer"))[-1]
    before, left = await state(answerer), await answerer.visitor.remaining_ms()
    for stale in (offer, offer | {"attempt": offer["attempt"] - 60}):
        await offerer.run("(message) => napalmCall.send(message)", stale)
    # A peer cannot change the clock.
    later = "serverNow: Date.now() + 200_000"
    await offerer.run(f"napalmCall.send({{type: 'rtc:ice', candidates: [], attempt: 1, {later}}})")
    await offerer.visitor.write("after the replay")
    await answerer.visitor.reads("after the replay")
    await answerer.run(
        "napalmCall.receive({type: 'rtc:ice', candidates: []})"
    )  # taken in turn: the queue is empty now
    assert await state(answerer) == before
    assert left - await answerer.visitor.remaining_ms() < 150_000
    await asyncio.gather(anna.visitor.sees_video(3), ben.visitor.sees_video(3))


async def state(one: Caller) -> list[Any]:
    script = """[napalmCall.attempt, napalmCall.pc.signalingState, seen.pcs.length,
      napalmCall.pc.remoteDescription.sdp, napalmCall.pc.localDescription.sdp]"""
    return [*await one.run(script), len(await one.sent("rtc:answer"))]


@journey
async def test_candidates_may_come_two_seconds_late_and_in_any_order(stage: Stage) -> None:
    anna, ben = await pair(stage, scripts=LATE)
    await talk(anna, ben)
    batches = [len(message["candidates"]) for message in await anna.sent("rtc:ice")]
    assert sum(batches) > 1, "nothing to reorder"


@pytest.mark.prove
@journey
async def test_many_signs_of_another_network_make_one_restart(stage: Stage) -> None:
    anna, ben = await couple(stage)
    before = await restarts(anna, ben)
    await anna.run(
        "for (const type of Array(5).fill(['offline', 'online']).flat()) dispatchEvent(new Event(type));"
    )
    await until(lambda: restarts(anna, ben), lambda now: now == before + 1)
    await until(lambda: anna.run("napalmCall.pc.signalingState"), lambda now: now == "stable")
    await asyncio.gather(anna.visitor.sees_video(10), ben.visitor.sees_video(10))
    assert await restarts(anna, ben) == before + 1


async def restarts(anna: Caller, ben: Caller) -> int:
    """By the side that leads, whichever it is."""
    return int(await anna.run("napalmCall.restarts")) + int(await ben.run("napalmCall.restarts"))


@pytest.mark.prove
@journey
async def test_both_may_restart_at_once(stage: Stage) -> None:
    anna, ben = await couple(stage)
    await asyncio.gather(*(one.run("napalmCall.pc.restartIce()") for one in (anna, ben)))
    for one in (anna, ben):
        await until(lambda one=one: one.run("napalmCall.pc.signalingState"), lambda now: now == "stable")
        await one.visitor.sees_video(5)
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())


async def toggle(one: Caller, other: Caller) -> None:
    """Everything that can be switched on and off, as the peer sees and hears it."""
    await one.visitor.press("Mute")
    await other.visitor.sees(f"{one.name} is muted")
    await one.visitor.press("Unmute")
    await one.visitor.press("Camera off")
    await other.visitor.sees(f"{one.name} has the camera off")
    await one.visitor.press("Camera on")
    await other.shows("#call-stage", "data-picture", "yes")
    await one.visitor.press("Devices")
    options = one.page.locator("#device-audio option")
    await one.page.get_by_label("Microphone").select_option(await options.nth(1).get_attribute("value"))
    await one.visitor.press("Close devices")
    await other.sound_flows()


@journey
async def test_toggles_never_negotiate(stage: Stage) -> None:
    anna, ben = await couple(stage)
    await asyncio.gather(toggle(anna, ben), toggle(ben, anna))
    assert await anna.offers() + await ben.offers() == 0
