"""Intro videos: what is sent is decoded to its end, and a clean copy is kept, or it is refused."""

from __future__ import annotations

import asyncio
import tempfile
import time
from io import BytesIO

import av
import pytest

from models.errors import Invalid, NotFound, Unavailable, UnsupportedMedia
from models.videos import MOST_OWN, MOST_UPLOADS, Kept, copy_clean
from models.wiring import Models
from tests.clips import clip, growing, without_duration
from tests.conftest import MakePerson
from tests.stage import rows


def copied(data: bytes) -> tuple[Kept, bytes]:
    with tempfile.TemporaryFile(buffering=0) as target:
        kept = copy_clean(BytesIO(data), target)
        target.seek(0)
        return kept, target.read()


def refused(data: bytes) -> str:
    with pytest.raises((Invalid, UnsupportedMedia)) as problem:
        copied(data)
    return str(problem.value)


@pytest.mark.parametrize(
    ("kind", "picture", "sound", "kept_as"),
    [
        ("webm", "libvpx", "libopus", "video/webm"), ("webm", "libvpx-vp9", None, "video/webm"),
        ("webm", "libsvtav1", "libopus", "video/webm"), ("mp4", "libx264", "aac", "video/mp4"),
        ("mp4", "libx264", "libopus", "video/mp4"), ("mov", "libx264", "aac", "video/mp4"),
        ("matroska", "libx264", "libopus", "video/mp4"), ("mp4", "libsvtav1", "aac", "video/mp4"),
    ],
)  # fmt: skip
def test_what_browsers_and_phones_record_is_kept(kind: str, picture: str, sound: str, kept_as: str) -> None:
    kept, data = copied(clip(kind, picture, sound))
    assert (kept.content_type, kept.byte_size, round(kept.seconds, 1)) == (kept_as, len(data), 5.5)
    with av.open(BytesIO(data)) as again:
        assert len(again.streams) == (2 if sound else 1)
        assert sum(1 for _ in again.decode(video=0)) == 55


@pytest.mark.parametrize(
    ("kind", "picture", "sound"), [("webm", "libvpx", "libopus"), ("mp4", "libx264", "aac")]
)
def test_nothing_is_kept_but_pictures_and_sound(kind: str, picture: str, sound: str) -> None:
    sent = clip(kind, picture, sound) + b"<script>secret-tail</script>"
    assert sent.count(b"secret") == 4
    assert b"x264 - core" in sent or kind == "webm"
    _, data = copied(sent)
    for word in (b"secret", b"52.5", b"script", b"x264 - core", b"Lavf6"):
        assert word not in data


def test_an_mp4_says_first_what_is_in_it() -> None:
    _, data = copied(clip("mp4", "libx264", "aac"))
    assert data.index(b"moov") < data.index(b"mdat")


def test_a_recording_without_a_duration_gets_one() -> None:
    sent = without_duration(clip())
    with av.open(BytesIO(sent)) as raw:
        assert raw.duration is None
    kept, data = copied(sent)
    assert round(kept.seconds, 1) == 5.5
    with av.open(BytesIO(data)) as again:
        assert again.duration == pytest.approx(5_500_000, abs=50_000)


def test_a_phone_held_upright_stays_upright() -> None:
    _, data = copied(clip("mp4", "libx264", None, turned=90))
    with av.open(BytesIO(data)) as again:
        assert next(again.decode(video=0)).rotation == 90


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seconds": 4.8}, "5 seconds at least"), ({"seconds": 61}, "60 seconds long at most"),
        ({"seconds": 300, "rate": 1}, "60 seconds long at most"),
        ({"size": (1922, 64)}, "1920 pixels"), ({"rate": 700}, "60 pictures a second"),
    ],
)  # fmt: skip
def test_too_short_too_long_too_large_too_many(options: dict, words: str) -> None:
    assert words in refused(clip("mp4", "libx264", None, **options))


def test_a_picture_that_grows_on_the_way_is_not_decoded() -> None:
    """The decoder itself stops (damaged); our own look at the size would come after the memory was taken."""
    data = growing(clip(sound=None), clip(sound=None, size=(4096, 2048), rate=1))
    began = time.perf_counter()
    assert "damaged" in refused(data)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    "data",
    [
        b"x", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<!doctype html><script>1</script>", b"GIF89a",
        b"RIFF0000AVI ", b"#EXTM3U\n#EXTINF:5,\nfile:///etc/passwd", b"ffconcat version 1.0",
    ],
)  # fmt: skip
def test_other_kinds_are_refused_whatever_they_are_called(data: bytes) -> None:
    with pytest.raises(UnsupportedMedia):
        copied(data)


@pytest.mark.parametrize(("kind", "picture", "sound"), [("avi", "mpeg4", None), ("mp4", "mpeg4", "aac")])
def test_what_browsers_do_not_play_is_refused(kind: str, picture: str, sound: str | None) -> None:
    with pytest.raises(UnsupportedMedia):
        copied(clip(kind, picture, sound))


@pytest.mark.parametrize("data", [b"", b"\x1aE\xdf\xa3" + bytes(999), b"\0\0\0\x20ftypisom" + bytes(999)])
def test_an_empty_or_broken_file_is_refused(data: bytes) -> None:
    assert refused(data).startswith("invalid")


@pytest.mark.parametrize("part", [0.01, 0.3, 0.6, 0.9])
def test_an_mp4_that_stops_half_way_is_refused(part: float) -> None:
    data = clip("mp4", "libx264", "aac")
    refused(data[: int(len(data) * part)])


def test_of_a_webm_that_stops_half_way_the_rest_counts() -> None:
    data = clip(seconds=12)
    assert "5 seconds" in refused(data[: len(data) // 4])
    assert copied(data[: len(data) * 9 // 10])[0].seconds < 11.5


async def test_a_new_video_replaces_the_old_one_and_can_go(models: Models, person: MakePerson) -> None:
    ann, ben = await person("Ann"), await person("Ben")
    first = await models.videos.save(ann.user_id, BytesIO(clip()))
    theirs = await models.videos.save(ben.user_id, BytesIO(clip()))
    second = await models.videos.save(ann.user_id, BytesIO(clip("mp4", "libx264", "aac")))
    assert (await models.users.get(ann.user_id)).video_id == second
    assert await models.media.find(first, ann.user_id) is None
    file = await models.media.find(second, ben.user_id)
    assert file is not None
    assert b"ftyp" in await models.media.read(file, 0, 20)
    await models.videos.remove(ann.user_id)
    assert (await models.users.get(ann.user_id)).video_id is None
    assert await models.media.find(second, ben.user_id) is None
    assert (await models.users.get(ben.user_id)).video_id == theirs


async def test_somebody_deleted_meanwhile_leaves_nothing(models: Models, person: MakePerson) -> None:
    ann = await person("Ann", selfie=False)
    await rows(models, "update users set deleted_at = now() where user_id = %s", ann.user_id)
    with pytest.raises(NotFound):
        await models.videos.save(ann.user_id, BytesIO(clip()))
    assert await rows(models, "select from media where owner_id = %s", ann.user_id) == []


async def test_two_at_once_leave_one(models: Models, person: MakePerson) -> None:
    ann = await person("Ann")
    ids = await asyncio.gather(*[models.videos.save(ann.user_id, BytesIO(clip())) for _ in range(4)])
    kept = (await models.users.get(ann.user_id)).video_id
    assert [one for one in ids if await models.media.find(one, ann.user_id)] == [kept]


async def test_only_so_many_are_on_their_way(models: Models) -> None:
    own = [models.videos.open_upload("ann") for _ in range(MOST_OWN)]
    with pytest.raises(Unavailable):
        models.videos.open_upload("ann")
    others = [models.videos.open_upload(f"{number}") for number in range(MOST_UPLOADS - MOST_OWN)]
    with pytest.raises(Unavailable):
        models.videos.open_upload("ben")
    for file in [*own, own[0], *others]:
        models.videos.close_upload(file)
    models.videos.close_upload(models.videos.open_upload("ann"))
