"""From a report to a ban, an appeal and its success: two moderators, two users, real browsers."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.async_api import Request, expect

from tests.journeys.conftest import free_port
from tests.journeys.parts.accessibility import clean
from tests.journeys.people.moderator import moderator
from tests.journeys.server_process import ServerProcess
from tests.journeys.stage import PHONE, House, Stage, journey, two_talking
from tests.support.pace import within
from tests.support.smtp_server import Mailbox

STAFF = "staff@sky.example"


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with Mailbox().open() as opened:
        yield opened


@pytest.fixture
def stage(house: House, mailbox: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """With a server that sends its alerts to the staff by e-mail."""
    settings = {"SMTP_URL": mailbox.url, "ALERT_EMAIL": STAFF}
    server = ServerProcess(tmp_path_factory.mktemp("moderated"), free_port(), **settings)
    server.start()
    stage = Stage(replace(house, server=server))
    yield stage
    troubles = house.loop.run(stage.clear()) + server.faults[:5]
    server.stop()
    assert not troubles, "\n".join(troubles)


async def alerted(mailbox: Mailbox) -> str:
    """The page that the next alert names. Other e-mails are skipped."""
    while "/admin/" not in (text := await mailbox.letter()):
        pass
    assert STAFF in mailbox.recipients
    return re.findall(r"http\S+", text)[0]


@journey
async def test_a_report_a_ban_an_appeal_and_back(stage: Stage, mailbox: Mailbox) -> None:
    mia, noah, (anna, ben) = await asyncio.gather(
        moderator(stage, "Mia"),
        moderator(stage, "Noah", device=PHONE),
        two_talking(stage, "Ann", "Benno Loud"),
    )
    ben.expect_trouble("40[13]")  # his session is over
    second_tab = await ben.context.new_page()
    led_away: list[float] = []

    def watch(request: Request) -> None:
        if "/appeal?" in request.url:
            led_away.append(time.monotonic())

    second_tab.on("request", watch)
    await second_tab.goto("/settings")
    await expect(second_tab.get_by_role("heading", level=1)).to_have_text("Benno Loud")
    await ben.write("La la la!")
    await anna.reads("La la la!")
    await anna.press("Close chat")
    await anna.touch(anna.page.get_by_role("button", name="Report Benno Loud"))
    await anna.page.locator(".report-dialog").get_by_label("They: La la la!").check()
    await anna.page.locator(".report-dialog").get_by_label("Attach a picture of what I see now").check()
    await clean(anna.page)
    async with anna.page.expect_response("**/report") as sent:
        await anna.touch(anna.page.locator(".report-dialog").get_by_role("button", name="Harassment"))
    answer = await sent.value
    assert answer.status == 201
    reference = (await answer.json())["reference"]
    await anna.sees(f"Your reference is {reference}")

    await mia.sign_in_again()
    await mia.screen.go(await alerted(mailbox))
    row = mia.screen.page.get_by_role("row").filter(has_text="Benno Loud").first
    await row.get_by_role("link").first.click()
    await mia.screen.press("Show what is attached")
    await mia.screen.sees("La la la!")
    await clean(mia.screen.page)
    await mia.screen.touch(mia.screen.page.get_by_text("Show the picture that Ann attached"))
    picture = mia.screen.page.get_by_alt_text("What Ann saw")
    await expect(picture).to_be_visible()
    assert (
        await picture.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") > 16
    )
    await mia.screen.choose("Permanent ban")
    await mia.screen.page.get_by_label("Why").fill("You shouted at people.")
    async with mia.screen.page.expect_response(lambda answer: answer.request.method == "POST"):
        await mia.screen.press("Decide")
    decided = time.monotonic()
    await second_tab.wait_for_url("**/appeal?**")
    assert led_away[0] - decided < within(1)
    await expect(second_tab.get_by_text("You shouted at people.")).to_be_visible()
    await anna.sees("The call was ended by a moderator")
    await anna.go("/reports")
    await anna.sees("We have acted on it.")
    await anna.sees(reference)
    await clean(anna.page)
    await expect(second_tab.get_by_text("Terms, clause 2.2")).to_be_visible()
    await clean(second_tab)
    await second_tab.get_by_label("What we should know").fill("We were only singing.")
    await second_tab.get_by_role("button", name="Send the appeal").click()
    await expect(second_tab.get_by_text("Your appeal is being looked at")).to_be_visible()
    await clean(second_tab)
    await second_tab.goto("/room")
    await expect(second_tab.get_by_role("heading", level=1)).to_have_text("You are banned")
    await clean(second_tab)
    await mia.screen.press("Appeals")
    await mia.screen.sees("You made this decision, so somebody else decides its appeal.")
    await noah.screen.press("Appeals")
    await noah.screen.sees("We were only singing.")
    await clean(noah.screen.page)
    await noah.screen.touch(noah.screen.page.get_by_role("link", name="Benno Loud"))
    await noah.screen.sees("Ban without a report")
    await clean(noah.screen.page)
    await noah.screen.press("Appeals")
    await noah.screen.page.get_by_label("Your answer").fill("Sing on.")
    await noah.screen.press("Lift the ban")
    await noah.screen.sees("No appeals are waiting.")
    await second_tab.get_by_role("link", name="Appeal").click()
    await expect(second_tab.get_by_text("Sing on.")).to_be_visible()
    await clean(second_tab)
    await second_tab.goto("/room")
    await expect(second_tab.locator("#availability-words")).to_have_text("You are online")


@journey
async def test_a_notice_without_a_session_and_its_outcome(stage: Stage, mailbox: Mailbox) -> None:
    mia, visitor = await asyncio.gather(moderator(stage, "Mila"), stage.visitor("Wanda", device=PHONE))
    await visitor.go("/notice?kind=intimate")
    await visitor.page.get_by_label("Where is it?").fill("On the card of Max, today at eight")
    await visitor.page.get_by_label("Your e-mail").fill("ann@example.com")
    await visitor.page.get_by_label("I believe in good faith").check()
    await clean(visitor.page)
    await visitor.press("Send the notice")
    await visitor.sees("We have your notice")
    await clean(visitor.page)
    await mia.sign_in_again()
    await mia.screen.go(await alerted(mailbox))
    notice = mia.screen.page.get_by_role("article").filter(has_text="On the card of Max, today at eight")
    await notice.get_by_label("Your answer").fill("The picture is gone.")
    await clean(mia.screen.page)
    await notice.get_by_role("button", name="Action taken").click()
    await expect(notice).to_be_hidden()
    await visitor.page.reload()
    await visitor.sees("We have acted on your notice.")
    await visitor.sees("The picture is gone.")
