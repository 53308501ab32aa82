"""A connection to the server that dies without a close, as a tunnel of a sleeping phone does."""

from __future__ import annotations

from playwright.async_api import WebSocketRoute, expect

from tests.journeys.people.visitor import until
from tests.journeys.stage import Stage, journey
from tests.webrtc.callers import couple, hang_up, pair, talk

SECONDS_TO_NOTICE = 20
# A connection that is younger than that is not replaced.
YOUNG_MS = 2000
# What Chromium says of the network: a type only on phones, and the speed everywhere.
CHANGE = """(type) => {
  Object.defineProperty(navigator.connection, "type", { value: type ?? undefined, configurable: true });
  navigator.connection.dispatchEvent(new Event("change"));
}"""


class Tunnel:
    """Passes a page's relay socket on until it is frozen. Later connections work, unless it is for good."""

    def __init__(self, *, for_good: bool = False) -> None:
        self.opened = 0
        self.is_frozen = False
        self._is_for_good = for_good

    def carry(self, route: WebSocketRoute) -> None:
        self.opened += 1
        number, server = self.opened, route.connect_to_server()
        route.on_message(lambda message: None if self._is_dead(number) else server.send(message))
        server.on_message(lambda message: None if self._is_dead(number) else route.send(message))
        server.on_close(lambda *_: None)

    def _is_dead(self, number: int) -> bool:
        return self.is_frozen and (number == 1 or self._is_for_good)


@journey
async def test_a_silent_relay_connection_is_replaced(stage: Stage) -> None:
    tunnel = Tunnel()
    anna, ben = await pair(stage)
    await anna.visitor.page.route_web_socket("**/ws/calls/*", tunnel.carry)
    await talk(anna, ben)
    tunnel.is_frozen = True
    await ben.visitor.write("Are you still there?")
    await expect(anna.visitor.page.locator(".chat-log")).to_contain_text(
        "Are you still there?", timeout=1000 * SECONDS_TO_NOTICE
    )
    assert tunnel.opened == 2
    await hang_up(anna, ben)


@journey
async def test_end_does_not_need_the_relay_connection(stage: Stage) -> None:
    tunnel = Tunnel(for_good=True)
    anna, ben = await pair(stage)
    await anna.visitor.page.route_web_socket("**/ws/calls/*", tunnel.carry)
    await talk(anna, ben)
    tunnel.is_frozen = True
    await hang_up(anna, ben)


@journey
async def test_another_network_replaces_the_connections_and_another_speed_does_not(stage: Stage) -> None:
    anna, ben = await couple(stage)
    began = float(await anna.run("performance.now()"))
    await until(lambda: anna.run("performance.now()"), lambda now: now > began + YOUNG_MS)
    before = await anna.run("seen.opened")
    await anna.run(CHANGE)
    await anna.visitor.write("Still the same network")
    await ben.visitor.reads("Still the same network")
    assert await anna.run("seen.opened") == before
    await anna.run(CHANGE, "cellular")
    assert (await anna.run("seen.opened"))[len(before) :] == ["invites", "calls"]
    await anna.visitor.in_call()
