""" "Will it work for me?", used on the paywall before payment."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

from tests.journeys.stage import Stage, journey
from tests.turn.coturn import LOOPBACK, Coturn

# Nothing here may open a device or keep a connection.
WATCH = """
  window.opened = [];
  navigator.mediaDevices.getUserMedia = async () => { opened.push('device'); throw new Error('a device'); };
  const { close } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.close = function () {
    opened.push(this.connectionState);
    return close.call(this);
  };
"""


@journey
async def test_the_network_is_looked_at_before_one_pays(stage: Stage, turn_port: int, tmp_path: Path) -> None:
    anna = await stage.visitor("Anna", scripts=WATCH)
    await anna.begin()
    await anna.go("/paywall")
    await anna.press("Check now")
    shown = anna.page.locator("#check li:visible")
    await expect(shown).to_have_text([
        "There is a camera and a microphone.", "Invitations reach you at once.",
        "No way for calls out of this network was found. Try another network, or mobile data.",
    ])  # fmt: skip
    with Coturn(tmp_path, LOOPBACK, port=turn_port):
        await anna.press("Check now")
        await expect(shown.nth(2)).to_have_text("Calls get through from this network.")
    assert await anna.page.evaluate("opened") == ["new", "new"]
