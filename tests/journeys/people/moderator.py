"""A member of staff with a browser: signs up by the operator's link, with an authenticator."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pyotp
from playwright.async_api import Page

from tests.journeys.people.visitor import Visitor
from tests.journeys.stage import DESKTOP, Device, Stage
from tests.support.people.staff import PASSWORD

Look = Callable[[Page], Awaitable[None]]


async def nothing(_page: Page) -> None:
    """Most journeys are not about the sign-in of staff."""


@dataclass(frozen=True)
class Moderator:
    screen: Visitor
    totp: pyotp.TOTP

    async def sign_in_again(self, look: Look = nothing) -> None:
        """With both factors; the step of now was used, so the next one."""
        screen = self.screen
        await screen.press("Sign out")
        await screen.at("/admin/sign-in")
        await look(screen.page)
        await screen.page.get_by_label("Name or e-mail").fill(screen.name)
        await screen.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await screen.press("Sign in", within="main")
        await screen.sees("From your authenticator app")
        await look(screen.page)
        await screen.page.get_by_label("Digits").fill(self.totp.at(int(time.time()) + 30))
        await screen.press("Continue", within="main")
        await screen.sees("Right now")


async def moderator(
    stage: Stage, name: str, role: str = "moderator", device: Device = DESKTOP, look: Look = nothing
) -> Moderator:
    """Signed in to the console. All journeys share a database and names count once, so it gets a number."""
    name = f"{name} {time.time_ns()}"
    told = await asyncio.to_thread(stage.server.command, "admin", "add", name, "--role", role)
    url = re.findall(r"http\S+", told)[0]
    visitor = await stage.visitor(name, device)
    await visitor.go(url)
    await visitor.touch(visitor.page.get_by_text("Type it instead"))
    await look(visitor.page)
    totp = pyotp.TOTP(await visitor.page.locator("details code").inner_text())
    await visitor.page.get_by_label("The six digits it shows").fill(totp.now())
    await visitor.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await visitor.press("Open the console")
    await visitor.sees("Right now")
    return Moderator(visitor, totp)
