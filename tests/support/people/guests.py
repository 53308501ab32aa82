"""New guests without access, by an API client or in a browser; friends with a code."""

from __future__ import annotations

from typing import Any

from tests.support.clients import Browser


async def newcomer(site: Any, name: str = "Nora") -> tuple[str, str]:
    """A guest without access: (Bearer token, id)."""
    guest = {"name": name, "gender": "female", "adult": True}
    answer = await site.client.post("/auth/guest", guest)
    return answer.json["sessionToken"], answer.json["userId"]


async def guest_browser(site: Any) -> Browser:
    """A browser that has signed up, on the paywall."""
    browser = site.browser()
    await browser.get("/onboarding")
    await browser.post("/auth/guest", name="Nora", gender="female", adult="true")
    page = await browser.get("/paywall")
    assert page.status == 200
    return browser


async def own_code(site: Any, owner: Any) -> str:
    """The code of a user who has just paid; `site` may be the models alone."""
    async with site.models.db.transaction() as on:
        await site.models.invite_codes.ensure_own(owner.user_id, on=on)
    return (await site.models.invite_codes.find_own(owner.user_id)).code
