"""Selfies: stored in place of the old one, or refused without a trace."""

from __future__ import annotations

import asyncio

import pytest

from models.errors import Invalid, TooLarge, Unavailable, UnsupportedMedia
from models.profiles.decoding.pictures import LONGEST_SIDE
from models.profiles.decoding.queue import MOST_OWN_WAITING
from models.profiles.selfies import MOST_BYTES
from models.wiring import Models
from tests.conftest import MakePerson
from tests.models.profiles.decoding.test_pictures import SVG, opened, picture
from tests.support.media.files import file_of


async def test_a_new_selfie_replaces_the_old_one(models: Models, person: MakePerson) -> None:
    ann = await person(selfie=False)
    first = await models.selfies.save(ann.user_id, file_of(picture()))
    second = await models.selfies.save(ann.user_id, file_of(picture("RGBA", kind="PNG")))
    assert (await models.users.get(ann.user_id)).selfie_id == second
    assert await models.media.find(first, ann.user_id) is None
    file = await models.media.find(second, ann.user_id)
    assert file is not None
    assert file.content_type == "image/jpeg"
    assert opened(await models.media.read(file)).size == (LONGEST_SIDE, 600)


async def test_concurrent_uploads_leave_one_file(models: Models, person: MakePerson) -> None:
    """And one user's waiting uploads are limited."""
    ann = await person(selfie=False)
    work = [models.selfies.save(ann.user_id, file_of(picture())) for _ in range(6)]
    results = await asyncio.gather(*work, return_exceptions=True)
    served = [one for one in results if isinstance(one, str)]
    assert len(served) == 1 + MOST_OWN_WAITING
    assert all(isinstance(one, str | Unavailable) for one in results)
    kept = (await models.users.get(ann.user_id)).selfie_id
    assert [one for one in served if await models.media.find(one, ann.user_id)] == [kept]


async def test_a_refused_upload_leaves_nothing(models: Models, person: MakePerson) -> None:
    ann = await person(selfie=False)
    for data, kind in ((b"", Invalid), (SVG, UnsupportedMedia), (bytes(MOST_BYTES + 1), TooLarge)):
        with pytest.raises(kind):
            await models.selfies.save(ann.user_id, file_of(data))
    assert (await models.users.get(ann.user_id)).selfie_id is None


async def test_a_report_keeps_a_small_frame_as_it_is(models: Models) -> None:
    kept = (await models.selfies.jpeg("ann", picture(size=(160, 90)))).data
    assert opened(kept).size == (160, 90)
    with pytest.raises(Invalid) as refused:
        await models.selfies.jpeg("ann", picture()[:300])
    assert refused.value.fields == {"frame": "The picture could not be read."}


async def test_a_decoder_is_ready_for_the_first_selfie(models: Models, person: MakePerson) -> None:
    ann = await person(selfie=False)
    await models.selfies.warm()
    assert await models.selfies.save(ann.user_id, file_of(picture()))
    assert await models.selfies.save(ann.user_id, file_of(picture()))
