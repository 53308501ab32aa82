"""Appeals against removals: once, by another moderator; overturning restores the file from the held copy."""

from __future__ import annotations

import asyncio

import pytest

from models.errors import Conflict, Invalid, NotAllowed, NotFound
from models.security.audit_log import OPERATOR
from models.wiring import Models
from tests.conftest import MakePerson, Person, Running, jpeg
from tests.support.media.clips import clip
from tests.support.people.reports import MODERATOR, OTHER_MODERATOR
from tests.support.people.staff import enrolled
from tests.support.scenes import rows

WHY = "This is a film poster, not you."


async def removed(models: Models, person: Person, kind: str = "selfie") -> tuple[str, bytes]:
    """The id of a removal by MODERATOR, and the bytes that were removed."""
    shown = await models.members.get(person.user_id)
    media_id = (shown.selfie_id if kind == "selfie" else shown.video_id) or ""
    file = await models.media.find(media_id, person.user_id)
    assert file is not None
    data = await models.media.read(file)
    return await models.decisions.removals.remove(
        person.user_id, kind, media_id, MODERATOR, WHY, "fake"
    ), data


@pytest.mark.parametrize("kind", ["selfie", "video"])
async def test_an_overturned_removal_restores_the_file(site: Running, person: MakePerson, kind: str) -> None:
    models, ann = site.models, await person("Ann")
    if kind == "video":
        await site.client.upload("/media/video", "video", clip(), token=ann.token)
    removal_id, data = await removed(models, ann, kind)
    await models.decisions.removal_appeals.file(removal_id, ann.user_id, "It is me.")
    await models.decisions.removal_appeals.judge(removal_id, OTHER_MODERATOR, "overturned", "Sorry.")
    url = (await site.client.get("/user/me", token=ann.token)).json[f"{kind}Url"]
    assert (await site.client.get(url, token=ann.token)).body == data
    found = await models.decisions.removals.get(removal_id)
    assert (found.verdict, found.reply, found.settled_at is not None) == ("overturned", "Sorry.", True)
    assert await models.decisions.removals.of(ann.user_id) == {}
    assert await rows(models, "select 1 from tombstones where id = %s", url.rpartition("/")[2]) == []
    await models.tombstones.apply()
    assert (await site.client.get(url, token=ann.token)).status == 200


async def test_a_newer_file_stays(site: Running, person: MakePerson) -> None:
    models, ann = site.models, await person("Ann")
    removal_id, _ = await removed(models, ann)
    new = (await site.client.upload("/media/selfie", "selfie", jpeg(), token=ann.token)).json["selfieUrl"]
    await models.decisions.removal_appeals.file(removal_id, ann.user_id, "It is me.")
    await models.decisions.removal_appeals.judge(removal_id, OTHER_MODERATOR, "overturned", "Sorry.")
    assert (await site.client.get("/user/me", token=ann.token)).json["selfieUrl"] == new


async def test_one_appeal_and_one_verdict(models: Models, person: MakePerson) -> None:
    ann, ben = await person("Ann"), await person("Ben")
    removal_id, _ = await removed(models, ann)
    for words in (" ", "a" * 2001, "\x00"):
        with pytest.raises(Invalid):
            await models.decisions.removal_appeals.file(removal_id, ann.user_id, words)
    with pytest.raises(NotFound):
        await models.decisions.removal_appeals.file(removal_id, ben.user_id, "Mine.")
    with pytest.raises(NotFound):
        await models.decisions.removal_appeals.hand_over(removal_id, MODERATOR)
    files = [models.decisions.removal_appeals.file(removal_id, ann.user_id, "It is me.") for _ in range(4)]
    assert [type(one) for one in await asyncio.gather(*files, return_exceptions=True)].count(Conflict) == 3
    (waiting,) = await models.decisions.removal_appeals.queue()
    assert (waiting.text, waiting.rule, waiting.name) == ("It is me.", "fake", "Ann")
    with pytest.raises(NotAllowed):
        await models.decisions.removal_appeals.judge(removal_id, MODERATOR, "overturned", "x")
    with pytest.raises(Invalid):
        await models.decisions.removal_appeals.judge(removal_id, OTHER_MODERATOR, "upheld", " ")
    await models.decisions.removal_appeals.judge(removal_id, OTHER_MODERATOR, "upheld", "It is a poster.")
    with pytest.raises(Conflict):
        await models.decisions.removal_appeals.judge(removal_id, OTHER_MODERATOR, "overturned", "x")
    assert await models.decisions.removal_appeals.queue() == []
    assert (await models.members.get(ann.user_id)).selfie_id is None


async def test_without_a_colleague_the_operator_decides(models: Models, person: MakePerson) -> None:
    ann = await person("Ann")
    removal_id, _ = await removed(models, ann)
    await models.decisions.removal_appeals.file(removal_id, ann.user_id, "It is me.")
    assert (await models.decisions.removal_appeals.get(removal_id)).handed_at is not None
    await models.decisions.removal_appeals.judge(removal_id, OPERATOR, "overturned", "Sorry.")
    assert (await models.members.get(ann.user_id)).selfie_id is not None


async def test_the_operator_decides_only_what_was_handed_over(models: Models, person: MakePerson) -> None:
    ann = await person("Ann")
    await enrolled(models, "Mia")
    removal_id, _ = await removed(models, ann)
    await models.decisions.removal_appeals.file(removal_id, ann.user_id, "It is me.")
    with pytest.raises(Conflict):
        await models.decisions.removal_appeals.judge(removal_id, OPERATOR, "overturned", "Sorry.")
    await models.decisions.removal_appeals.hand_over(removal_id, MODERATOR)
    with pytest.raises(Conflict):
        await models.decisions.removal_appeals.hand_over(removal_id, MODERATOR)
    await models.decisions.removal_appeals.judge(removal_id, OPERATOR, "upheld", "It is a poster.")


async def test_the_held_file_is_deleted_with_the_removal(models: Models, person: MakePerson) -> None:
    ann, ben = await person("Ann"), await person("Ben")
    removal_id, _ = await removed(models, ann)
    await removed(models, ben)
    await models.decisions.removal_appeals.file(removal_id, ann.user_id, "It is me.")
    await models.deletions.delete(ben.user_id)
    await models.retention.sweep()
    assert await rows(models, "select owner_id::text from media") == [(ann.user_id,)]
    old = "update removals set removed_at = now() - interval '400 days'"
    await rows(models, old)
    await models.retention.sweep()
    assert len(await rows(models, "select 1 from media")) == 1
    await models.decisions.removal_appeals.judge(removal_id, OTHER_MODERATOR, "upheld", "It is a poster.")
    await models.retention.sweep()
    assert await rows(models, "select 1 from media") == []
