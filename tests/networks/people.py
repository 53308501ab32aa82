"""Two people who call each other from their homes. All that they do passes their routers: they sign up in
their pages.
"""

from __future__ import annotations

import asyncio
import base64
import time
from typing import Any

from tests.conftest import jpeg
from tests.journeys.people.visitor import until
from tests.journeys.stage import Stage
from tests.webrtc.callers import ONLINE, WATCH, Caller, ring

SIGN_UP = """async ([name, inviteCode, picture]) => {
  const ask = async (path, headers, body) => {
    const said = { Accept: "application/json", ...headers };
    const answer = await fetch(path, { method: "POST", credentials: "omit", body, headers: said });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return answer.json();
  };
  const guest = { name, gender: "female", adult: true, inviteCode };
  const told = await ask("/auth/guest", { "Content-Type": "application/json" }, JSON.stringify(guest));
  const form = new FormData();
  const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
  form.append("selfie", new Blob([bytes], { type: "image/jpeg" }), "selfie.jpg");
  await ask("/media/selfie", { Authorization: `Bearer ${told.sessionToken}` }, form);
  return told;
}"""
# Ten times a second: the frames decoded so far, over all connections, and the way of the last one: its
# connection and pair of candidates. Both browsers have one clock.
WATCH_FRAMES = """() => {
  let [pc, connections, before, sum, way] = [null, 0, 0, 0, ""];
  window.watched = [];
  setInterval(async () => {
    const now = window.napalmCall?.pc;
    if (!now) return; // the call has ended
    const stats = [...(await now.getStats()).values()];
    if (now !== pc) [pc, connections, before] = [now, connections + 1, 0];
    const picture = stats.find(({ type, kind }) => type === "inbound-rtp" && kind === "video");
    const transport = stats.find(({ type }) => type === "transport");
    const frames = picture?.framesDecoded ?? 0;
    if (frames > before) way = connections + transport?.selectedCandidatePairId;
    [sum, before] = [sum + frames - before, frames];
    watched.push([Date.now() / 1000, sum, way]);
  }, 100);
}"""
# The selected pair of candidates.
WAY = """async () => {
  const stats = await napalmCall.pc.getStats();
  const transport = [...stats.values()].find(({ type }) => type === "transport");
  const pair = stats.get(transport.selectedCandidatePairId);
  const [local, remote] = [stats.get(pair?.localCandidateId), stats.get(pair?.remoteCandidateId)];
  return [local?.candidateType, remote?.candidateType, local?.relayProtocol ?? local?.protocol];
}"""
# When the first picture came after that moment, or 0: there was none yet. With `isOther`, by another way.
RETURN = """([[, frames, way], isOther]) =>
  watched.find((now) => now[1] > frames && !(isOther && now[2] === way))?.[0] ?? 0"""
# Longer than any pause of a picture that moves, also on a busy machine's ten frames a second.
PAUSE_SECONDS = 0.8
RETURN_SECONDS = 60


async def caller(stage: Stage, name: str, code: str) -> Caller:
    visitor = await stage.visitor(name, scripts=WATCH + ONLINE)
    visitor.expect_trouble("WebSocket connection|net::ERR_|favicon")
    await visitor.go("/terms")
    told = await visitor.page.evaluate(SIGN_UP, [name, code, base64.b64encode(jpeg()).decode()])
    await visitor.context.add_cookies([
        {"name": "session", "value": told["sessionToken"], "url": stage.server.url}
    ])  # fmt: skip
    one = Caller(visitor, told["userId"])
    await one.go_online()
    return one


async def couple(stage: Stage, code: str) -> tuple[Caller, Caller]:
    """Anna from the first home, Ben from the second, in a call with picture both ways."""
    anna = await caller(stage, "Anna", code)
    ben = await caller(stage, "Ben", code)  # then, because the stage gives each its browser in turn
    await ring(anna, ben)
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())
    for one in (anna, ben):
        await one.run(WATCH_FRAMES)
        await one.visitor.sees_video(3)
    return anna, ben


async def way_of(one: Caller) -> list[Any]:
    """[kind of the local candidate, of the remote one, protocol to the peer or the relay]"""
    return list(await one.run(WAY))


async def stalls(*people: Caller) -> None:
    """No picture arrives any more."""
    await asyncio.gather(
        *(until(lambda one=one: _silence(one), lambda now: now >= PAUSE_SECONDS) for one in people)
    )


async def _silence(one: Caller) -> float:
    """Seconds since the last picture."""
    return float(
        await one.run("watched.at(-1)[0] - watched.find(([, frames]) => frames === watched.at(-1)[1])[0]")
    )


async def moments(*people: Caller) -> list[Any]:
    """What each sees now, for `back_after`."""
    return [await one.run("watched.at(-1)") for one in people]


async def back_after(
    since: float, people: tuple[Caller, ...], seen: list[Any], *, is_other_way: bool = False
) -> float:
    """Seconds from that time until the slower of them saw a further picture, which then moves on.

    Not the first picture after a pause: where the network comes back at once there is no long pause.
    """
    times = await asyncio.gather(
        *(_return(one, [moment, is_other_way]) for one, moment in zip(people, seen, strict=True))
    )
    await asyncio.gather(*(one.visitor.sees_video(3) for one in people))
    return max(times) - since


async def _return(one: Caller, moment: list[Any]) -> float:
    return float(await until(lambda: one.run(RETURN, moment), bool, RETURN_SECONDS))


async def losses(one: Caller) -> int:
    return int((await one.visitor.stats())["packetsLost"])


now = time.time
