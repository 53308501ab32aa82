"""Report, block and contacts in two real browsers: from the call, after it, and from a card."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.journeys.stage import Stage, journey, two_talking


@journey
async def test_report_with_a_picture_then_block_in_the_call(stage: Stage) -> None:
    anna, ben = await two_talking(stage, "Anna Safe", "Ben Rude")
    await ben.write("Something rude")
    await anna.reads("Something rude")
    await anna.press("Close chat")
    await anna.sees_video()
    await anna.touch(anna.page.get_by_role("button", name="Report Ben Rude"))
    dialog = anna.page.locator(".report-dialog")
    await anna.touch(dialog.get_by_label("They: Something rude"))
    await anna.touch(dialog.get_by_label("Attach a picture of what I see now"))
    await expect(dialog.locator("[data-frame-canvas]")).to_be_visible()
    async with anna.page.expect_response("**/report") as sent:
        await anna.touch(dialog.get_by_role("button", name="Harassment"))
    report = (await sent.value).request.post_data_json
    assert (await sent.value).status == 201
    assert len(report["messageIds"]) == 1
    assert report["frame"].startswith("data:image/jpeg;base64,")
    await expect(dialog).to_have_count(0)
    await anna.touch(anna.page.get_by_role("button", name="Block Ben Rude"))
    await asyncio.gather(*(one.sees("One of you ended the call") for one in (anna, ben)))
    await anna.sees("Blocked: you will not meet again.")
    await anna.press("Undo")
    await expect(anna.page.locator(".safety-block").get_by_role("button", name="Block")).to_be_visible()
    await asyncio.gather(anna.go("/room"), ben.go("/room"))
    await asyncio.gather(*(one.sees("You are online") for one in (anna, ben)))
    await expect(anna.card(ben)).to_have_count(0)
    await expect(ben.card(anna)).to_have_count(0)


@journey
async def test_an_empty_picture_is_refused_and_an_earlier_one_is_kept(stage: Stage) -> None:
    ada, bob = await two_talking(stage, "Ada Safe", "Bob Rude")
    await ada.sees_video()
    stage_of_ada = ada.page.locator("#call-stage")
    await expect(stage_of_ada).to_have_attribute("data-picture", "yes")
    await ada.touch(ada.page.get_by_role("button", name="Report Bob Rude"))
    dialog = ada.page.locator(".report-dialog")
    consent = dialog.get_by_label("Attach a picture of what I see now")
    await bob.press("Camera off")
    await expect(stage_of_ada).to_have_attribute("data-picture", "no")
    await ada.touch(consent)
    await expect(dialog).to_contain_text("There is no picture to attach now.")
    await expect(consent).not_to_be_checked()
    await bob.press("Camera on")
    await expect(stage_of_ada).to_have_attribute("data-picture", "yes")
    await ada.touch(consent)
    await expect(dialog.locator("[data-frame-canvas]")).to_be_visible()
    await bob.press("Camera off")
    await expect(stage_of_ada).to_have_attribute("data-picture", "no")
    for is_checked in (False, True):
        await ada.touch(consent)
        await expect(consent).to_be_checked(checked=is_checked)
    async with ada.page.expect_response("**/report") as sent:
        await ada.touch(dialog.get_by_role("button", name="Harassment"))
    assert (await sent.value).request.post_data_json["frame"].startswith("data:image/jpeg;base64,")


@journey
async def test_contacts_are_shared_when_both_say_yes(stage: Stage) -> None:
    cara, dan = await two_talking(stage, "Cara", "Dan")
    await cara.touch(cara.page.get_by_role("button", name="Share contacts with Dan"))
    await expect(cara.page.locator("#call-contacts")).to_contain_text("You would share contacts")
    await expect(dan.page.locator("#call-contacts")).to_be_hidden()
    await dan.press("End")
    await asyncio.gather(*(one.sees("Share contacts?") for one in (dan,)))
    await cara.sees("You said yes")
    await dan.press("Yes, share")
    await asyncio.gather(*(one.sees("You have shared contacts") for one in (cara, dan)))


@journey
async def test_a_block_from_a_card_and_from_a_ring(stage: Stage) -> None:
    eve, fay, gus = [await stage.visitor(name) for name in ("Eve", "Fay", "Gus")]
    await asyncio.gather(*(one.enrol() for one in (eve, fay, gus)))
    await asyncio.gather(*(one.go_online() for one in (eve, fay, gus)))
    card = await eve.find_card(fay)
    await eve.touch(card.get_by_role("button", name="Block"))
    await expect(eve.card(fay)).to_have_count(0)
    await expect(fay.card(eve)).to_have_count(0)
    await gus.invite(eve, "5 min")
    await eve.touch(eve.ring.get_by_role("button", name="Block"))
    await expect(eve.ring).to_be_hidden()
    await expect(gus.ring).to_contain_text("cannot talk right now")
    await expect(eve.page.get_by_text("in another tab")).to_have_count(0)
