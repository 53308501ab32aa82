"""Video remuxing: pictures and sound in a new container, or a refusal."""

from __future__ import annotations

import time
from io import BytesIO
from struct import pack
from typing import NamedTuple

import av
import pytest

from models.errors import Invalid, Problem, UnsupportedMedia
from models.profiles.decoding import video_remux
from models.profiles.decoding.video_remux import work
from tests.support.media.bombs import HUNGRY_VIDEOS
from tests.support.media.clips import clip, growing, remuxed, with_another_sound, without_duration
from tests.support.media.files import file_of
from tests.support.pace import within


class Kept(NamedTuple):
    content_type: str
    seconds: float


def copied(data: bytes) -> tuple[Kept, bytes]:
    """Copies in this process with the whole CPU budget. Any exception counts as a damaged video."""
    target = file_of(b"")
    try:
        found = work(file_of(data), target, {})
    except Problem:
        raise
    except Exception as error:
        raise Invalid("damaged") from error
    target.seek(0)
    # A frame of the video follows it.
    kept = Kept(found["content_type"], found["seconds"])
    return kept, target.read(found["byte_size"])


@pytest.fixture(autouse=True)
def budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resets the CPU budget, which the test process has used up."""
    began = time.process_time()
    monkeypatch.setattr(video_remux, "cpu_left", lambda: 1.5 + began - time.process_time())


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
def test_recordings_of_browsers_and_phones_are_accepted(
    kind: str, picture: str, sound: str, kept_as: str
) -> None:
    kept, data = copied(clip(kind, picture, sound))
    assert (kept.content_type, round(kept.seconds, 1)) == (kept_as, 5.5)
    with av.open(BytesIO(data)) as again:
        assert len(again.streams) == (2 if sound else 1)
        assert sum(1 for _ in again.decode(video=0)) == 55


@pytest.mark.parametrize(
    ("kind", "picture", "sound"), [("webm", "libvpx", "libopus"), ("mp4", "libx264", "aac")]
)
def test_only_pictures_and_sound_are_kept(kind: str, picture: str, sound: str) -> None:
    sent = clip(kind, picture, sound) + b"<script>secret-tail</script>"
    assert sent.count(b"secret") == 4
    assert b"x264 - core" in sent or kind == "webm"
    _, data = copied(sent)
    for word in (b"secret", b"52.5", b"script", b"x264 - core", b"Lavf6"):
        assert word not in data


def test_an_mp4_has_its_metadata_first() -> None:
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
def test_videos_over_a_limit_are_refused(options: dict, words: str) -> None:
    assert words in refused(clip("mp4", "libx264", None, **options))


def test_pictures_larger_than_the_header_says_are_not_decoded() -> None:
    """The decoder itself stops (damaged); a later check would come after the allocation."""
    data = growing(clip(sound=None), clip(sound=None, size=(4096, 2048), rate=1))
    began = time.perf_counter()
    assert "damaged" in refused(data)
    assert time.perf_counter() - began < within(1)


@pytest.mark.parametrize(
    "data",
    [
        b"x", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<!doctype html><script>1</script>", b"GIF89a",
        b"RIFF0000AVI ", b"#EXTM3U\n#EXTINF:5,\nfile:///etc/passwd", b"ffconcat version 1.0",
    ],
)  # fmt: skip
def test_other_file_types_are_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedMedia):
        copied(data)


@pytest.mark.parametrize(("kind", "picture", "sound"), [("avi", "mpeg4", None), ("mp4", "mpeg4", "aac")])
def test_codecs_that_browsers_do_not_play_are_refused(kind: str, picture: str, sound: str | None) -> None:
    with pytest.raises(UnsupportedMedia):
        copied(clip(kind, picture, sound))


@pytest.mark.parametrize("data", [b"", b"\x1aE\xdf\xa3" + bytes(999), b"\0\0\0\x20ftypisom" + bytes(999)])
def test_an_empty_or_broken_file_is_refused(data: bytes) -> None:
    assert refused(data).startswith("invalid")


@pytest.mark.parametrize("part", [0.01, 0.3, 0.6, 0.9])
def test_a_truncated_mp4_is_refused(part: float) -> None:
    data = clip("mp4", "libx264", "aac")
    refused(data[: int(len(data) * part)])


def test_a_truncated_webm_is_accepted_up_to_its_end() -> None:
    data = clip(seconds=12)
    assert "5 seconds" in refused(data[: len(data) // 4])
    assert copied(data[: len(data) * 9 // 10])[0].seconds < 11.5


@pytest.mark.parametrize("name", HUNGRY_VIDEOS)
def test_the_declared_counts_of_an_mp4_are_checked_before_it_is_opened(name: str) -> None:
    began = time.process_time()
    assert "damaged or too long" in refused(HUNGRY_VIDEOS[name])
    assert time.process_time() - began < 0.5


def test_boxes_are_counted_too() -> None:
    head = clip("mp4", "libx264", "aac")
    assert "damaged or too long" in refused(head + pack(">I4s", 8, b"free") * 20_001)
    nested = b""
    for _ in range(20):
        nested = pack(">I4s", len(nested) + 8, b"moov") + nested
    assert "damaged or too long" in refused(head + nested)
    assert "damaged or too long" in refused(head.replace(b"mvhd", b"cmov", 1))


@pytest.mark.parametrize("options", ["frag_keyframe+empty_moov", "frag_every_frame+default_base_moof"])
def test_a_fragmented_recording_is_accepted(options: str) -> None:
    kept, data = copied(remuxed(clip("mp4", "libx264", "aac"), movflags=options))
    assert round(kept.seconds, 1) == 5.5
    with av.open(BytesIO(data)) as again:
        assert sum(1 for _ in again.decode(video=0)) == 55


@pytest.mark.parametrize("first", [b"wide", b"free", b"skip"])
def test_an_mp4_may_begin_with_another_box(first: bytes) -> None:
    """Older cameras write no `ftyp`."""
    data = clip("mov", "libx264", "aac").replace(b"ftyp", first, 1)
    assert copied(data)[0].content_type == "video/mp4"


def renamed(old: bytes, new: bytes, kind: str = "webm", sound: str = "libopus") -> bytes:
    """With the name of a codec that nothing knows."""
    data = clip(kind, "libvpx" if kind == "webm" else "libx264", sound)
    assert old in data
    return data.replace(old, new)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (renamed(b"V_VP8", b"V_XY8"), "H.264, VP8"), (renamed(b"A_OPUS", b"A_NONE"), "sound"),
        (renamed(b"avc1", b"xyz1", "mov", "aac"), "H.264, VP8"), (clip("mp4", "libx264", "flac"), "sound"),
        (clip("mov", "libx264", "pcm_s16le"), "sound"), (clip("matroska", "libx264", "pcm_s16le"), "sound"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(999), "a photo"),
        (b"\0\0\0\x18ftypavif\0\0\0\0avifmif1" + bytes(999), "a photo"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_named(data: bytes, words: str) -> None:
    with pytest.raises(UnsupportedMedia, match=words):
        copied(data)


def test_of_several_sounds_one_that_browsers_play_is_kept() -> None:
    """Like the spatial sound of a phone, beside the usual one."""
    data = with_another_sound(clip("matroska", "libx264", "flac"), clip("mp4", "libx264", "aac"))
    kept, data = copied(data)
    assert kept.content_type == "video/mp4"
    with av.open(BytesIO(data)) as again:
        assert [one.codec_context.name for one in again.streams] == ["h264", "aac"]


def test_too_many_tracks_are_named() -> None:
    data = clip("mp4", "libx264", "aac")
    tracks = pack(">I4s", 8 + 9 * 8, b"moov") + pack(">I4s", 8, b"trak") * 9
    assert "8 tracks at most" in refused(data + tracks)


def test_sound_without_pictures_is_refused() -> None:
    assert "no picture" in refused(remuxed(clip("mp4", "libx264", "aac"), only="audio"))
