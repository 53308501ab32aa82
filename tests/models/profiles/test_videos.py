"""Intro videos: stored in place of the old one, or refused without a trace."""

from __future__ import annotations

import asyncio

import pytest

from models.errors import NotFound
from models.wiring import Models
from tests.conftest import MakePerson
from tests.support.media.clips import clip
from tests.support.media.files import file_of
from tests.support.scenes import rows


async def test_a_new_video_replaces_the_old_one_and_can_be_removed(
    models: Models, person: MakePerson
) -> None:
    ann, ben = await person("Ann"), await person("Ben")
    first = await models.videos.save(ann.user_id, file_of(clip()))
    theirs = await models.videos.save(ben.user_id, file_of(clip()))
    second = await models.videos.save(ann.user_id, file_of(clip("mp4", "libx264", "aac")))
    assert (await models.users.get(ann.user_id)).video_id == second
    assert await models.media.find(first, ann.user_id) is None
    file = await models.media.find(second, ben.user_id)
    assert file is not None
    assert b"ftyp" in await models.media.read(file, 0, 20)
    await models.videos.remove(ann.user_id)
    assert (await models.users.get(ann.user_id)).video_id is None
    assert await models.media.find(second, ben.user_id) is None
    assert (await models.users.get(ben.user_id)).video_id == theirs


async def test_a_user_deleted_during_the_upload_leaves_nothing(models: Models, person: MakePerson) -> None:
    ann = await person("Ann", selfie=False)
    await models.deletions.delete(ann.user_id)
    with pytest.raises(NotFound):
        await models.videos.save(ann.user_id, file_of(clip()))
    assert await rows(models, "select from media where owner_id = %s", ann.user_id) == []


async def test_concurrent_uploads_leave_one_file(models: Models, person: MakePerson) -> None:
    ann = await person("Ann")
    ids = await asyncio.gather(*[models.videos.save(ann.user_id, file_of(clip())) for _ in range(3)])
    kept = (await models.users.get(ann.user_id)).video_id
    assert [one for one in ids if await models.media.find(one, ann.user_id)] == [kept]
