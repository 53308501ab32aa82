"""Codes and payments in the console, for admins: each action is logged with its reason."""

from __future__ import annotations

from tests.conftest import MakePerson, Running
from tests.support.people.staff import at_work


async def told(site: Running) -> list[tuple[str, str]]:
    page = reversed(await site.models.audit.page())
    return [(one.action, one.reason) for one in page if not one.action.startswith("staff.")]


async def test_codes_are_created_and_disabled(site: Running) -> None:
    _, browser = await at_work(site, "Ada", "admin")
    for faulty in ({"label": ""}, {"label": "Poster", "uses": "-1"}, {"label": "Poster", "uses": "0"}):
        assert (await browser.post("/admin/codes", **faulty)).status == 422
    assert (await browser.post("/admin/codes", label="Poster", uses="50")).status == 303
    await browser.post("/admin/codes", label="Festival")
    festival, poster = await site.models.admin_codes.all()
    assert (poster.uses_limit, festival.uses_limit) == (50, None)
    page = (await browser.get("/admin/codes")).text
    assert poster.code in page
    assert (await browser.post(f"/admin/codes/{poster.code}")).status == 422
    assert (await browser.post(f"/admin/codes/{poster.code}", reason="Lost.")).status == 303
    assert (await site.models.admin_codes.get(poster.code)).stopped_at is not None
    assert await told(site) == [
        ("code.create", "Poster"),
        ("code.create", "Festival"),
        ("code.stop", "Lost."),
    ]


async def test_codes_of_members_are_not_shown_completely(site: Running, person: MakePerson) -> None:
    anna = await person("Anna")
    async with site.models.db.transaction() as on:
        await site.models.invite_codes.ensure_own(anna.user_id, on=on)
    own = await site.models.invite_codes.find_own(anna.user_id)
    assert own is not None
    _, browser = await at_work(site, "Ada", "admin")
    page = (await browser.get("/admin/codes")).text
    assert f"…{own.code[-4:]}" in page
    assert f"inviteCode={own.code}" not in page


async def test_a_payment_is_listed_and_refunded_once(site: Running, person: MakePerson) -> None:
    anna = await person("Anna", access=None)
    member = site.browser()
    member.cookies["session"] = anna.token
    await member.get("/paywall")
    checkout = await site.models.checkouts.create_checkout(anna.user_id)
    await member.post(checkout.checkout_url.removeprefix(site.base_url), action="pay")
    _, browser = await at_work(site, "Ada", "admin")
    (payment,) = await site.models.reconciliation.payments(1)
    assert payment.state == "paid"
    page = (await browser.get("/admin/payments?days=1")).text
    assert "Refund $0.01" in page
    assert "Anna" in page
    path = f"/admin/payments/{payment.attempt_id}"
    assert (await browser.post(path)).status == 422
    socket = await site.socket("/ws/invites", anna.token)
    assert (await browser.post(path, reason="Asked for it.")).status == 303
    await socket.receive("access:changed", access="unpaid")
    assert (await browser.post(path, reason="Again.")).status == 409
    assert await told(site) == [("payment.refund.ask", "Asked for it."), ("payment.refund", "")]
    assert (await browser.get("/admin/payments?days=0")).status == 422
    dossier = (await browser.get(f"/admin/people/{anna.user_id}")).text
    assert "Refunded" in dossier
