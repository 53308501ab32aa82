"""Staff for tests: enrolled, with an authenticator that shows the right digits."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pyotp

from models.security.audit_log import OPERATOR
from models.wiring import Models
from tests.conftest import Running
from tests.support.clients import Browser

PASSWORD = "four quiet purple lanterns"


@dataclass(frozen=True)
class Worker:
    """A member of the staff, and the secret of their authenticator."""

    staff_id: str
    name: str
    secret: str

    def digits(self, models: Models, steps: int = 0) -> str:
        """The digits it shows, now or a number of 30-second steps later."""
        return digits(self.secret, models, steps)


def digits(secret: str, models: Models, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(models.clock.now().timestamp()) + 30 * steps)


def link_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["link"][0]


async def enrolled(models: Models, name: str, role: str = "moderator") -> tuple[Worker, str]:
    """A new member of the staff, and the session token from enrolment. The present step is used up."""
    link = link_of(await models.staff.add(name, role, OPERATOR))
    who = await models.staff.enrolment(link)
    secret = await models.second_factors.secret(who.seed)
    token = await models.staff.enrol(link, PASSWORD, digits(secret, models))
    return Worker(who.staff_id, name, secret), token


async def at_work(site: Running, name: str, role: str = "moderator") -> tuple[Worker, Browser]:
    """A member of the staff with a browser that is signed in to the console, with a page's token."""
    worker, token = await enrolled(site.models, name, role)
    browser = site.browser()
    browser.cookies["staff"] = token
    await browser.get("/admin")
    return worker, browser
