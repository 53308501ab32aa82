"""Media: who may see them, and reading any range of bytes."""

from __future__ import annotations

from models.ids import new_id
from models.profiles.media import CHUNK, MediaFile
from models.wiring import Models
from tests.conftest import MakePerson
from tests.support.factories import report_row
from tests.support.scenes import block


async def put(models: Models, owner_id: str, data: bytes) -> str:
    async with models.db.transaction() as on:
        return await models.media.save(owner_id, "video", "video/webm", data, on=on)


async def sees(models: Models, media_id: str, viewer_id: str) -> bool:
    return await models.media.find(media_id, viewer_id) is not None


async def got(models: Models, media_id: str, viewer_id: str) -> MediaFile:
    file = await models.media.find(media_id, viewer_id)
    assert file is not None
    return file


async def test_owners_and_members_see_media_and_others_do_not(models: Models, person: MakePerson) -> None:
    ann, bo, cy = await person(access=None), await person(access="payment"), await person(access=None)
    media_id = await put(models, ann.user_id, b"x")
    assert await sees(models, media_id, ann.user_id)
    assert await sees(models, media_id, bo.user_id)
    assert not await sees(models, media_id, cy.user_id)
    assert not await sees(models, media_id, new_id())


async def test_a_block_hides_media_only_from_the_blocker(models: Models, person: MakePerson) -> None:
    ann, bo = await person(access="payment"), await person(access="payment")
    of_ann, of_bo = await put(models, ann.user_id, b"a"), await put(models, bo.user_id, b"b")
    await block(models, ann, bo)
    assert not await sees(models, of_bo, ann.user_id)
    assert await sees(models, of_ann, bo.user_id)
    assert await sees(models, of_ann, ann.user_id)


async def test_a_blocked_or_reported_user_sees_nothing_newer(models: Models, person: MakePerson) -> None:
    ann, bo, cy, di = [await person(access="payment") for _ in range(4)]
    before = await put(models, ann.user_id, b"before")
    await block(models, ann, bo)
    await report_row(models, ann, cy)
    after = await put(models, ann.user_id, b"after")
    assert [await sees(models, before, one.user_id) for one in (bo, cy, di)] == [True, True, True]
    assert [await sees(models, after, one.user_id) for one in (bo, cy, di)] == [False, False, True]
    await models.blocks.unblock(ann.user_id, bo.user_id)
    assert await sees(models, after, bo.user_id)


async def test_a_malformed_id_is_not_found(models: Models, person: MakePerson) -> None:
    ann = await person()
    for media_id in ("", "x", "../etc/passwd", new_id().upper()):
        assert await models.media.find(media_id, ann.user_id) is None


async def test_any_part_can_be_read_across_chunks(models: Models, person: MakePerson) -> None:
    ann = await person()
    data = bytes(range(251)) * 10_000
    assert len(data) > 2 * CHUNK
    file = await got(models, await put(models, ann.user_id, data), ann.user_id)
    assert file.byte_size == len(data)
    assert await models.media.read(file) == data
    for first, last in (
        (0, 0),
        (5, 9),
        (CHUNK - 1, CHUNK),
        (CHUNK, 2 * CHUNK),
        (len(data) - 1, len(data) + 99),
    ):
        assert await models.media.read(file, first, last) == data[first : last + 1]
