"""A ring reaches a hidden tab where only a service worker may show it, or the user is not listed."""

from __future__ import annotations

from tests.journeys.people.visitor import until
from tests.journeys.stage import PHONE, Stage, journey
from tests.webrtc.callers import INVITE, caller

# As Chrome on Android: the constructor is there, and throws.
ANDROID = """
window.Notification = class {
  static permission = "granted";
  static requestPermission = async () => "granted";
  constructor() { throw new TypeError("Illegal constructor"); }
};
window.told = [];
const sends = WebSocket.prototype.send;
WebSocket.prototype.send = function (text) {
  if (text.includes("queue:hidden")) told.push(JSON.parse(text));
  return sends.call(this, text);
};
"""
NO_WORKER = "delete Navigator.prototype.serviceWorker;"
HIDE = """() => {
  Object.defineProperty(document, "hidden", { value: true, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
SHOWN = """async () => {
  const worker = await navigator.serviceWorker.getRegistration();
  return (await worker.getNotifications()).map(({ title }) => title);
}"""
ALL = ("camera", "microphone", "notifications")
PHONE_AGENT = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36"
)


@journey
async def test_the_service_worker_shows_the_ring(stage: Stage) -> None:
    anna = await caller(stage, "Anna", PHONE, ANDROID, may_use=ALL, user_agent=PHONE_AGENT)
    ben = await caller(stage, "Ben")
    await until(lambda: anna.run("told.at(-1).notifications"), lambda said: said is True)
    await anna.run(HIDE)
    await ben.run(INVITE, [anna.user_id, "Anna"])
    await until(lambda: anna.run(SHOWN), lambda titles: titles == ["Ben is calling you"])
    await ben.visitor.press("Cancel", within="#ring")
    await until(lambda: anna.run(SHOWN), lambda titles: titles == [])


@journey
async def test_without_a_service_worker_a_phone_does_not_say_that_it_can_be_reached(stage: Stage) -> None:
    anna = await caller(stage, "Anna", PHONE, ANDROID + NO_WORKER, may_use=ALL, user_agent=PHONE_AGENT)
    await anna.run(HIDE)
    said = await anna.run("told.at(-1)")
    assert (said["hidden"], said["notifications"]) == (True, False)


@journey
async def test_a_constructor_that_throws_is_found_out_at_the_first_ring(stage: Stage) -> None:
    """On a browser without any sign of a phone."""
    anna = await caller(stage, "Anna", scripts=ANDROID + NO_WORKER, may_use=ALL)
    ben = await caller(stage, "Ben")
    await anna.run(HIDE)
    assert (await anna.run("told.at(-1)"))["notifications"] is True
    await ben.run(INVITE, [anna.user_id, "Anna"])
    await until(lambda: anna.run("told.at(-1).notifications"), lambda said: said is False)
