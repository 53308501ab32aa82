"""What is not what it seems: a network that answers for the site, devices that hang, canvases that lie."""

from __future__ import annotations

from playwright.async_api import Route, expect

from tests.journeys.stage import Stage, journey
from tests.webrtc.callers import caller

PORTAL = (
    "<!doctype html><html><head><title>Hotel</title></head><body><h1>Welcome to our Wi-Fi</h1></body></html>"
)
POST = """async (path) => (await import("/static/safety.js")).post(path, { userId: crypto.randomUUID() })"""
WAYS_OUT = """async () => {
  const { findsWayOut } = await import("/static/media/readiness.js");
  window.RTCPeerConnection = class {
    createDataChannel() {}
    close() {}
    async setLocalDescription() { this.onicecandidate({}); }
  };
  return findsWayOut();
}"""
# The page's timers run a hundred times as fast, and the device never opens.
HANGS = """async (state) => {
  const { openWhatThereIs } = await import("/static/media/devices.js");
  const { troubleOfFaults } = await import("/static/troubles.js");
  const later = window.setTimeout;
  window.setTimeout = (run, ms, ...rest) => later(run, ms / 100, ...rest);
  Permissions.prototype.query = async () => ({ state });
  bend.hold = new Promise(() => {});
  const faults = await new Promise((asking) => { openWhatThereIs(undefined, { asking }); });
  window.setTimeout = later;
  return [faults.map(({ cause }) => cause), troubleOfFaults(faults).title];
}"""
NOISE = """
const read = CanvasRenderingContext2D.prototype.getImageData;
CanvasRenderingContext2D.prototype.getImageData = function (...box) {
  const image = read.apply(this, box);
  image.data.forEach((_, index) => { image.data[index] = index * 37 % 256; });
  return image;
};
"""


async def portal(route: Route) -> None:
    """As networks with a login page, and filters of companies, answer: 200, and HTML."""
    await route.fulfill(status=200, content_type="text/html", body=PORTAL)


@journey
async def test_a_page_of_the_network_is_no_answer_of_the_site(stage: Stage) -> None:
    anna = await caller(stage, "Anna")
    await anna.page.route("**/block", portal)
    assert await anna.run(POST, "/block") is None
    await anna.visitor.sees("That did not get through")
    await anna.page.route("**/turn/credentials**", portal)
    assert await anna.run(WAYS_OUT)
    await anna.visitor.go("/settings")
    await anna.page.route("**/user/me", portal)
    form = anna.page.locator("#settings-profile form")
    await form.locator("button[type=submit]").first.click()
    await anna.visitor.sees("Something between you and the site answered instead")
    await expect(form).to_be_visible()
    await expect(anna.page.get_by_text("Welcome to our Wi-Fi")).to_have_count(0)


@journey
async def test_a_permitted_device_that_hangs_is_told(stage: Stage) -> None:
    anna = await caller(stage, "Anna")
    causes, title = await anna.run(HANGS, "granted")
    assert (causes, title) == (["slow", "slow"], "Your camera or microphone does not start")
    causes, _ = await anna.run(HANGS, "prompt")
    assert causes == ["asking", "asking"]


@journey
async def test_a_browser_that_changes_pictures_says_so(stage: Stage) -> None:
    """As Firefox with resistFingerprinting: the selfie would be noise."""
    anna = await stage.visitor("Anna", scripts=NOISE)
    ask = anna.context.request
    guest = await ask.post("/auth/guest", data={"name": "Anna", "gender": "female", "adult": True})
    token = (await guest.json())["sessionToken"]
    await anna.context.add_cookies([{"name": "session", "value": token, "url": stage.server.url}])
    await anna.go("/onboarding")
    await anna.page.locator('[data-camera="open"]').first.click()
    await anna.page.locator('[data-camera="shoot"]').first.click()
    await anna.sees("This browser changes the pictures that a page takes.")
