"""Users signed up by the API who call each other in browsers; `window.seen` records what their pages do.

`window.bend` simulates faults (watch.js): errors of getUserMedia, missing devices, late messages.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import CDPSession, expect

from tests.conftest import jpeg
from tests.journeys.people.visitor import Visitor, until
from tests.journeys.stage import DESKTOP, Device, Stage

WATCH = (Path(__file__).parent / "watch.js").read_text()
ONLINE = "localStorage.setItem('napalm.online', 'yes');"
INVITE = """async ([userId, name]) => {
  const beside = document.querySelector("script[type=module]").src; // the page's own module, not another
  (await import(new URL("ringing/ring.js", beside))).invite({ userId, name, selfieUrl: null }, 1800);
}"""


@dataclass
class Caller:
    visitor: Visitor
    user_id: str
    network: CDPSession | None = None

    @property
    def name(self) -> str:
        return self.visitor.name

    @property
    def page(self) -> Any:
        return self.visitor.page

    async def run(self, script: str, value: Any = None) -> Any:
        return await self.page.evaluate(script, value)

    async def go_online(self) -> None:
        await self.visitor.go("/room")
        await self.visitor.sees("You are online")

    async def alive(self) -> dict[str, int]:
        """What is not freed yet: peer connections, tracks, contexts, locks; `most` connections at a time."""
        return dict(await self.run("seen.alive()"))

    async def sent(self, kind: str) -> list[dict[str, Any]]:
        return list(await self.run("kind => seen.sent.filter(({type}) => type === kind)", kind))

    async def offers(self) -> int:
        """Made since the call stood (a slow machine may need a second one to get there)."""
        return len(await self.sent("rtc:offer")) - int(await self.run("seen.atFirst ?? 0"))

    async def received(self, kind: str, counter: str) -> int:
        """A counter of the inbound stream of that kind."""
        script = """async ([kind, counter]) => {
          let sum = 0;
          (await napalmCall.pc.getStats()).forEach((one) => {
            if (one.type === 'inbound-rtp' && one.kind === kind) sum += one[counter] ?? 0;
          });
          return sum;
        }"""
        return int(await self.run(script, [kind, counter]))

    async def sound_flows(self) -> None:
        before = await self.received("audio", "packetsReceived")
        await until(lambda: self.received("audio", "packetsReceived"), lambda now: now > before + 20)

    async def shows(self, selector: str, name: str, value: str, seconds: float = 40) -> None:
        await expect(self.page.locator(selector)).to_have_attribute(name, value, timeout=seconds * 1000)

    # The simulated network of this page's connections. It must be set before the first one is made.

    async def bend_network(self) -> None:
        self.network = await self.visitor.context.new_cdp_session(self.page)
        await self.network.send("Network.enable")
        await self.lose(0)

    async def lose(self, percent: int) -> None:
        assert self.network is not None
        conditions = {
            "offline": False, "latency": 5, "downloadThroughput": 2e6, "uploadThroughput": 2e6,
            "packetLoss": percent, "packetQueueLength": 1000,
        }  # fmt: skip
        await self.network.send("Network.emulateNetworkConditions", conditions)


async def caller(
    stage: Stage, name: str, device: Device = DESKTOP, scripts: str = "", **options: Any
) -> Caller:
    """A user with access and a selfie, online in the room."""
    visitor = await stage.visitor(name, device, scripts=WATCH + ONLINE + scripts, **options)
    user_id, token = await sign_up(visitor)
    await visitor.context.add_cookies([{"name": "session", "value": token, "url": stage.server.url}])
    one = Caller(visitor, user_id)
    await one.go_online()
    return one


async def sign_up(visitor: Visitor) -> tuple[str, str]:
    ask = visitor.context.request
    guest = await ask.post("/auth/guest", data={"name": visitor.name, "gender": "female", "adult": True})
    token, user_id = (await guest.json())["sessionToken"], (await guest.json())["userId"]
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    selfie = {"name": "selfie.jpg", "mimeType": "image/jpeg", "buffer": jpeg()}
    await ask.post("/media/selfie", headers=headers, multipart={"selfie": selfie})
    checkout = await (await ask.post("/payment/create-checkout", headers=headers, data={})).json()
    paid = await ask.post(checkout["checkoutUrl"], headers=headers, data={"action": "pay"})
    assert paid.ok, await paid.text()
    return user_id, token


async def pair(
    stage: Stage, first: str = "Anna", second: str = "Ben", **options: Any
) -> tuple[Caller, Caller]:
    return await asyncio.gather(caller(stage, first, **options), caller(stage, second, **options))


async def ring(anna: Caller, ben: Caller) -> None:
    """Waits until both are on the call's page."""
    await anna.run(INVITE, [ben.user_id, ben.name])
    await ben.visitor.answer("Accept")
    await asyncio.gather(*(one.visitor.at(r"/calls/[0-9a-f-]{36}") for one in (anna, ben)))


async def talk(anna: Caller, ben: Caller) -> None:
    """A call with sound and picture both ways."""
    await ring(anna, ben)
    await asyncio.gather(anna.visitor.in_call(), ben.visitor.in_call())
    await asyncio.gather(anna.visitor.sees_video(1), ben.visitor.sees_video(1))
    for one in (anna, ben):
        await one.run("seen.atFirst = seen.offers()")


async def couple(stage: Stage, **options: Any) -> tuple[Caller, Caller]:
    anna, ben = await pair(stage, **options)
    await talk(anna, ben)
    return anna, ben


async def hang_up(one: Caller, other: Caller) -> None:
    await one.visitor.press("End")
    for side in (one, other):
        await expect(side.page.locator("#call-ended")).to_be_visible()
