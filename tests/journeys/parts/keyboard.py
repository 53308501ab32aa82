"""Sign-up, payment, ring and call with only Tab, Enter, Space and the arrow keys, in any engine."""

from __future__ import annotations

from playwright.async_api import expect

from tests.journeys.people.visitor import Visitor

MOST_TABS = 40
FOCUSED = r"""() => {
  const at = document.activeElement;
  const own = at.matches("a, button, summary, input, textarea") ? at.textContent : "";
  return [at.getAttribute("aria-label"), at.labels?.[0]?.textContent, own]
    .filter(Boolean).map((text) => text.trim().replace(/\s+/g, " ")).join(" | ");
}"""


async def tab_to(visitor: Visitor, words: str, key: str = "Tab") -> None:
    """Presses Tab until the element with this name has the focus."""
    seen = []
    for _ in range(MOST_TABS):
        await visitor.page.keyboard.press(key)
        seen.append(await visitor.page.evaluate(FOCUSED))
        if words in seen[-1]:
            return
    raise AssertionError(f"no {words!r} in {seen}")


async def enter(visitor: Visitor, words: str) -> None:
    await tab_to(visitor, words)
    await visitor.page.keyboard.press("Enter")


async def sign_up(xena: Visitor) -> None:
    await xena.go("/")
    await enter(xena, "Get started")
    await xena.at("/onboarding")
    await tab_to(xena, "Your name")
    await xena.page.keyboard.type(xena.name)
    await tab_to(xena, "A woman")
    await xena.page.keyboard.press("Space")
    await xena.page.keyboard.press("ArrowDown")
    await expect(xena.page.get_by_role("radio", name="A man", exact=True)).to_be_checked()
    await tab_to(xena, "I am 18 or older")
    await xena.page.keyboard.press("Space")
    await enter(xena, "Continue")
    await xena.sees(f"Nice to meet you, {xena.name}")
    await xena.sees("Open the camera")  # shown by its script
    await enter(xena, "Open the camera")
    for button in ("Take the photo", "Use this photo"):  # the focus is put there
        await expect(xena.page.get_by_role("button", name=button)).to_be_focused()
        await xena.page.keyboard.press("Enter")


async def pay(xena: Visitor) -> None:
    await xena.at("/paywall")
    await enter(xena, "Pay $0.01")
    await xena.at("/test-checkout/.*")
    await enter(xena, "Pretend to pay")
    await xena.at(r"/payment-success\?.*")
    await enter(xena, "Go to the room")


async def ring(xena: Visitor, yann: Visitor) -> None:
    await xena.at("/room")
    await enter(xena, "Go online")
    await xena.sees("You are online")
    await expect(xena.card(yann)).to_have_count(1)
    while not await xena.card(yann).is_visible():
        await xena.page.keyboard.press("ArrowRight")
    await tab_to(xena, "5 min")
    await xena.page.keyboard.press("ArrowLeft")
    await expect(xena.page.get_by_role("radio", name="3 min", exact=True).first).to_be_checked()
    await enter(xena, "Talk to him")
    await expect(xena.ring).to_contain_text("Ringing, for 3 min")


async def answer(yann: Visitor) -> None:
    """The ring holds the focus; Escape neither declines nor hides it."""
    await yann.page.keyboard.press("Escape")
    await yann.page.keyboard.press("Escape")
    await expect(yann.ring).to_be_visible()
    await enter(yann, "Accept")
    await yann.in_call()


async def use_the_call(xena: Visitor, yann: Visitor) -> None:
    await xena.page.keyboard.press("c")
    await expect(xena.page.get_by_label("Message", exact=True)).to_be_focused()
    await xena.page.keyboard.type("Hi by keyboard")
    await xena.page.keyboard.press("Enter")
    await yann.reads("Hi by keyboard")
    await xena.page.keyboard.press("Escape")
    await expect(xena.page.locator("#open-chat")).to_be_focused()
    await xena.page.keyboard.press("m")
    await expect(yann.page.locator("#call-words")).to_have_text(f"{xena.name} is muted")
    await enter(xena, "End")
    await expect(yann.page.locator("#call-ended")).to_be_visible()
