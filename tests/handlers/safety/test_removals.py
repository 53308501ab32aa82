"""The page of a removal: the reasons and the appeal, for its owner only."""

from __future__ import annotations

from tests.conftest import MakePerson, Person, Running
from tests.support.people.reports import MODERATOR, OTHER_MODERATOR, browser_of

WHY = "This is a <film> poster."


async def removed(site: Running, person: Person) -> str:
    media_id = (await site.models.members.get(person.user_id)).selfie_id or ""
    return await site.models.decisions.removals.remove(
        person.user_id, "selfie", media_id, MODERATOR, WHY, "fake"
    )


async def test_the_owner_reads_the_reasons_and_appeals(site: Running, person: MakePerson) -> None:
    ann = await person("Ann")
    removal_id = await removed(site, ann)
    path, browser = f"/removals/{removal_id}", await browser_of(site, ann)
    assert f'href="{path}"' in (await browser.get("/onboarding?step=selfie")).text
    page = (await browser.get(path)).text
    for words in ("Terms, clause 1.2", "a &lt;film&gt; poster", "a moderator", "certified body"):
        assert words in page
    assert (await browser.post(path, text=" ")).status == 422
    assert (await browser.post(path, text="It is me.")).status == 303
    assert "It is me." in (await browser.get(path)).text
    assert (await browser.post(path, text="Again")).status == 409
    await site.models.decisions.removal_appeals.judge(
        removal_id, OTHER_MODERATOR, "upheld", "It is a poster."
    )
    assert "It is a poster." in (await browser.get(path)).text


async def test_the_same_by_json(site: Running, person: MakePerson) -> None:
    ann = await person("Ann")
    removal_id = await removed(site, ann)
    path = f"/removals/{removal_id}"
    (listed,) = (await site.client.get("/user/me", token=ann.token)).json["removed"]
    assert (listed["removalId"], listed["rule"], listed["url"]) == (removal_id, "fake", path)
    answer = (await site.client.get(path, token=ann.token)).json
    assert answer.pop("removedAt").endswith("Z")
    assert answer.pop("clause").startswith("Clause 1.2 of the terms")
    assert answer == {
        "kind": "selfie", "rule": "fake", "reason": WHY, "isSettled": False, "filedAt": None, "verdict": None,
        "reply": None,
    }  # fmt: skip
    assert (await site.client.post(path, {"text": "It is me."}, token=ann.token)).status == 201
    assert (await site.client.get(path, token=ann.token)).json["filedAt"] is not None
