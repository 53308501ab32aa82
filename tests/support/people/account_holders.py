"""Users with an account, and their credentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.security.email_confirmations import EmailConfirmations
from models.settings.config import Config
from models.wiring import Models
from tests.conftest import MakePerson, Person, Running
from tests.support.clients import Answer

PASSWORD = "correct horse battery"
OTHER_PASSWORD = "seven quiet lanterns"
# Cheap hashes: the tests are about who gets in, not about the time it takes.
QUICK = Config(stun_urls=(), bcrypt_cost=4, guests_per_hour=100_000, api_per_minute=1_000_000)


@dataclass(frozen=True)
class Holder:
    """A signed-in user with an account."""

    person: Person
    email: str
    codes: list[str]

    @property
    def token(self) -> str:
        return self.person.token


async def confirm_email(models: Models, user_id: str) -> None:
    """As by the link in the mail."""
    found = await models.confirmations.find(user_id)
    assert found is not None
    url = await EmailConfirmations(models.site_secret, models.config).url(user_id, found.email_key)
    await models.confirmations.confirm(user_id, url.partition("=")[2])


async def upgraded(site: Running, guest: Person, email: str, password: str = PASSWORD) -> Holder:
    answer = await site.client.post(
        "/auth/upgrade", {"email": email, "password": password}, token=guest.token
    )
    assert answer.status == 200, answer.text
    token = answer.json["sessionToken"]
    await confirm_email(site.models, guest.user_id)
    person = Person(guest.user_id, guest.name, token, guest.session_id)
    return Holder(person, email, answer.json["recoveryCodes"])


async def holder(site: Running, person: MakePerson, name: str = "Ann", **options: Any) -> Holder:
    return await upgraded(site, await person(name, **options), f"{name.lower()}@example.com")


async def login(site: Running, email: str, password: str = PASSWORD, **headers: str) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return await site.client.post("/auth/login", {"email": email, "password": password}, headers=sent)


async def is_signed_in(site: Running, token: str) -> bool:
    return (await site.client.get("/user/me", token=token)).status == 200
