"""The operator's page of an appeal that was handed over by e-mail."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from models.safety.bans import NewBan
from models.settings.config import Config
from tests.conftest import MakePerson, Running
from tests.support.people.reports import browser_of
from tests.support.people.staff import at_work
from tests.support.smtp_server import Mailbox


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, operator_name="Sky Ltd", operator_contact="owner@example.com")


async def link_to(site: Running, mailbox: Mailbox) -> str:
    await site.models.decisions.emails.send()
    assert mailbox.recipients == ["owner@example.com"]
    found = re.search(r"https?://[^/\s]+(/appeals/\S+)", await mailbox.letter())
    assert found is not None
    return found[1]


async def test_an_appeal_against_the_only_moderator_goes_to_the_operator(
    site: Running, person: MakePerson, mailbox: Mailbox
) -> None:
    ben, (mia, _) = await person("Ben"), await at_work(site, "Mia")
    ban = await site.models.bans.decide(
        NewBan(user_id=ben.user_id, rule="spam", reason="Adverts."), mia.staff_id
    )
    token = await site.models.ban_notices.token(ban.ban_id)
    await site.models.appeals.file(token, "Not <b>me</b>.")
    path, operator = await link_to(site, mailbox), site.browser()
    page = await operator.get(path)
    assert (page.status, page.headers["Cache-Control"]) == (200, "no-store")
    assert "Not &lt;b&gt;me&lt;/b&gt;." in page.text
    assert (await operator.get(path[:-4] + "AAAA")).status == 404
    assert (await operator.post(path, verdict="overturned", reply=" ")).status == 422
    assert (await operator.post(path, verdict="maybe", reply="x")).status == 422
    assert "Decided" in (await operator.post(path, verdict="overturned", reply="We were wrong.")).text
    assert (await operator.get(path)).status == 404
    assert (await site.client.get("/user/me", token=ben.token)).status == 200
    (entry, *_) = await site.models.audit.page()
    assert (entry.actor, entry.action) == ("operator", "appeal.overturned")


async def test_a_moderator_hands_an_appeal_over(site: Running, person: MakePerson, mailbox: Mailbox) -> None:
    """The operator also sees the file that was removed; a verdict by another moderator ends the link."""
    ann, (mia, console), (_, colleague) = (
        await person("Ann"), await at_work(site, "Mia"), await at_work(site, "Max"),
    )  # fmt: skip
    media_id = (await site.models.members.get(ann.user_id)).selfie_id or ""
    removal_id = await site.models.decisions.removals.remove(
        ann.user_id, "selfie", media_id, mia.staff_id, "A poster."
    )
    owner = await browser_of(site, ann)
    await owner.post(f"/removals/{removal_id}", text="It is me.")
    assert mailbox.letters == []
    queue = (await console.get("/admin/appeals")).text
    assert "Hand it to the operator by e-mail" in queue
    assert "Give it back" not in queue
    assert "Give it back" in (await colleague.get("/admin/appeals")).text
    assert (await console.post(f"/admin/removals/{removal_id}", verdict="hand_over")).status == 303
    assert "Hand it to" not in (await console.get("/admin/appeals")).text
    path, operator = await link_to(site, mailbox), site.browser()
    assert f"{path}/file" in (await operator.get(path)).text
    assert (await operator.get(f"{path}/file")).headers["Content-Type"] == "image/jpeg"
    assert (await colleague.get(f"/admin/removals/{removal_id}/file")).status == 200
    answer = await colleague.post(f"/admin/removals/{removal_id}", verdict="overturned", reply="Sorry.")
    assert answer.status == 303
    for gone in (path, f"{path}/file"):
        assert (await operator.get(gone)).status == 404
