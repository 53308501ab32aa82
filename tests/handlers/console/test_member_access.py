"""Access of members on their page, for admins. The roles are in test_base.py."""

from __future__ import annotations

from tests.conftest import MakePerson, Running
from tests.support.people.staff import at_work


async def test_an_admin_grants_and_withdraws_access(site: Running, person: MakePerson) -> None:
    anna = await person("Anna", access=None)
    _, browser = await at_work(site, "Ada", "admin")
    path = f"/admin/people/{anna.user_id}/access"
    assert (await browser.post(path, action="comp")).status == 422
    assert (await browser.post(path, action="comp", reason="A guest.")).status == 303
    assert (await site.client.get("/user/me", token=anna.token)).json["access"] == "comped"
    page = (await browser.get(f"/admin/people/{anna.user_id}")).text
    assert "Granted by the staff" in page
    (one,) = await site.models.member_access.of(anna.user_id)
    form = {"action": "withdraw", "grantId": one.grant_id, "reason": "Over."}
    assert (await browser.post(path, **form)).status == 303
    assert (await browser.post(path, **form)).status == 409
    assert "Give access back" in (await browser.get(f"/admin/people/{anna.user_id}")).text
    assert (await site.client.get("/user/me", token=anna.token)).json["access"] == "unpaid"


async def test_moderators_do_not_see_it(site: Running, person: MakePerson) -> None:
    anna = await person("Anna")
    _, browser = await at_work(site, "Mo", "moderator")
    assert "access-title" not in (await browser.get(f"/admin/people/{anna.user_id}")).text
