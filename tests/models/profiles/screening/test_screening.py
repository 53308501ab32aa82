"""New pictures: re-uploads of removed ones are refused or flagged."""

from __future__ import annotations

import io

import av
import pytest
from PIL import Image, ImageOps

from models.profiles.decoding.perceptual_hash import turned
from models.profiles.screening.removed_pictures import RemovedPictures
from models.profiles.screening.screening import REFUSED
from models.wiring import Models
from robots.portraits import look_of, portrait
from tests.conftest import MakePerson, MakeSite, Person, Running
from tests.support.media.clips import clip
from tests.support.media.files import file_of
from tests.support.people.reports import MODERATOR, OTHER_MODERATOR
from tests.support.people.staff import at_work
from tests.support.scenes import rows

FACE = portrait(look_of(3, "female"), 400)


def jpeg_of(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=70)
    return file.getvalue()


async def removed(site: Running, person: Person, image: Image.Image = FACE) -> str:
    """The id of the removal of this picture."""
    answer = await site.client.upload("/media/selfie", "selfie", jpeg_of(image), token=person.token)
    media_id = answer.json["selfieUrl"].rpartition("/")[2]
    about = (person.user_id, "selfie", media_id, MODERATOR)
    return await site.models.decisions.removals.remove(*about, "A film poster.", "fake")


async def test_the_same_picture_is_refused_for_everyone(site: Running, person: MakePerson) -> None:
    await removed(site, await person("Ann"))
    ben = await person("Ben")
    framed = ImageOps.expand(FACE, 20, "white")
    for image in (FACE, ImageOps.mirror(FACE), FACE.rotate(90), FACE.resize((250, 250)), framed):
        answer = await site.client.upload("/media/selfie", "selfie", jpeg_of(image), token=ben.token)
        assert (answer.status, answer.json["error"]["fields"]) == (422, {"selfie": REFUSED})
    other = jpeg_of(
        Image.effect_noise((12, 12), 99).resize((400, 400), Image.Resampling.BICUBIC).convert("RGB")
    )
    assert (await site.client.upload("/media/selfie", "selfie", other, token=ben.token)).status == 201
    assert await site.models.screening.flags_of(ben.user_id) == []


async def test_a_similar_picture_is_flagged_for_the_staff(site: Running, person: MakePerson) -> None:
    await removed(site, await person("Ann"))
    ben, (_, mia) = await person("Ben"), await at_work(site, "Mia")
    slanted = FACE.rotate(8)
    answer = await site.client.upload("/media/selfie", "selfie", jpeg_of(slanted), token=ben.token)
    assert answer.status == 201
    (flag,) = await site.models.screening.flags_of(ben.user_id)
    assert (flag.kind, flag.cause) == ("selfie", "removed")
    assert await rows(site.models, "select kind, path from alerts") == [
        ("picture", f"/admin/people/{ben.user_id}")
    ]
    assert "resembles one that was removed" in (await mia.get(f"/admin/people/{ben.user_id}")).text


@pytest.mark.parametrize(("action", "flags"), [("flag", 1), ("off", 0)])
async def test_what_a_re_upload_does_is_a_setting(
    make_site: MakeSite, person: MakePerson, action: str, flags: int
) -> None:
    site = await make_site(reuploads=action)
    await removed(site, await person("Ann"))
    ben = await person("Ben")
    assert (await site.client.upload("/media/selfie", "selfie", jpeg_of(FACE), token=ben.token)).status == 201
    assert len(await site.models.screening.flags_of(ben.user_id)) == flags


async def test_the_comparison_is_the_same_without_bit_count(site: Running, person: MakePerson) -> None:
    """As in PostgreSQL 13."""
    await removed(site, await person("Ann"))
    sql = site.models.db.statements("profiles.removed_pictures")
    for image in (FACE, FACE.rotate(4), Image.effect_noise((400, 400), 60)):
        asked = [one.hex() for one in turned(image)]
        found = [await sql.value(name, hashes=asked) for name in ("nearest", "nearest_by_text")]
        assert found[0] == found[1]


async def test_a_granted_appeal_forgets_the_picture(site: Running, person: MakePerson) -> None:
    ann, appeals = await person("Ann"), site.models.decisions.removal_appeals
    removal_id = await removed(site, ann)
    await appeals.file(removal_id, ann.user_id, "It is me.")
    await appeals.judge(removal_id, OTHER_MODERATOR, "overturned", "Sorry.")
    answer = await site.client.upload("/media/selfie", "selfie", jpeg_of(FACE), token=ann.token)
    assert answer.status == 201


async def test_hashes_outlive_their_owner_for_report_days(site: Running, person: MakePerson) -> None:
    models, ann = site.models, await person("Ann")
    await removed(site, ann)
    await models.deletions.delete(ann.user_id)
    await models.retention.sweep()
    assert isinstance(models.screening.removed, RemovedPictures)
    count = "select count(*) from removed_pictures"
    assert await rows(models, count) == [(1,)]
    await rows(models, "update removed_pictures set removed_at = now() - interval '366 days'")
    await models.retention.sweep()
    assert await rows(models, count) == [(0,)]


def video_of(image: Image.Image, picture: str = "libvpx", kind: str = "webm") -> bytes:
    """Six seconds of one picture."""
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        stream = container.add_stream(picture, rate=5)
        stream.width, stream.height, stream.pix_fmt = 200, 200, "yuv420p"
        for number in range(30):
            frame = av.VideoFrame.from_image(image.resize((200, 200)))
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


async def test_a_video_is_compared_by_one_frame(site: Running, person: MakePerson) -> None:
    ann, ben = await person("Ann"), await person("Ben")
    first = video_of(FACE)
    assert (await site.client.upload("/media/video", "video", first, token=ann.token)).status == 201
    ((frame, hashes),) = await rows(
        site.models, "select frame, hashes::text[] from media where kind = 'video'"
    )
    assert Image.open(io.BytesIO(bytes(frame))).format == "JPEG"
    assert len(hashes) >= 35
    media_id = (await site.models.members.get(ann.user_id)).video_id or ""
    await site.models.decisions.removals.remove(ann.user_id, "video", media_id, MODERATOR, "Bare.", "nudity")
    again = video_of(ImageOps.mirror(FACE), "libx264", "mp4")
    answer = await site.client.upload("/media/video", "video", again, token=ben.token)
    assert (answer.status, answer.json["error"]["fields"]) == (422, {"video": REFUSED})


async def test_the_stored_video_is_the_copy_alone(models: Models, person: MakePerson) -> None:
    ann = await person("Ann")
    await models.videos.save(ann.user_id, file_of(clip()))
    ((size, stored),) = await rows(
        models,
        "select byte_size, (select sum(length(bytes)) from media_chunks c where c.media_id = m.media_id) "
        "from media m where kind = 'video'",
    )
    assert size == stored
