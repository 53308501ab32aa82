"""What is read of a file before it is decoded: its kind, its size, its boxes; and how large ones shrink."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from models.errors import Invalid
from models.profiles.decoding.colours import to_srgb
from models.profiles.decoding.large_pictures import shrunk
from models.profiles.decoding.large_webp import reduced
from models.profiles.decoding.mp4_boxes import MOST_DEPTH, Mp4Boxes
from models.profiles.decoding.picture_formats import is_damaged, words_for
from models.profiles.decoding.webp_structure import read_webp
from tests.support.media.clips import clip
from tests.support.media.files import file_of


def webp(width: int, height: int, *, lossless: bool = True) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(buffer, "WEBP", lossless=lossless)
    return buffer.getvalue()


@pytest.mark.parametrize("lossless", [True, False])
def test_the_size_of_a_webp_is_read_from_its_parts(*, lossless: bool) -> None:
    data = webp(321, 123, lossless=lossless)
    found = read_webp(data)
    assert (found.width, found.height, found.is_animated, found.profile) == (321, 123, False, None)
    with pytest.raises(ValueError, match="ends inside"):
        read_webp(data[:-20])


def test_a_large_webp_is_reduced_to_its_side() -> None:
    small = reduced(io.BytesIO(webp(1000, 500)), 100)
    assert max(small.size) <= 1000
    assert small.size[0] > small.size[1]
    assert small.convert("RGB").getpixel((0, 0))[0] > 200


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "RGBA", "P", "1", "I;16"])
def test_a_picture_of_any_mode_shrinks(mode: str) -> None:
    small = shrunk(Image.new(mode, (900, 300)), 300)
    assert max(small.size) <= 300
    assert small.mode in ("RGB", "L", "CMYK", "RGBA", "LA")


def test_a_damaged_profile_leaves_the_picture_as_it_is() -> None:
    image = Image.new("RGBA", (2, 2), "red")
    assert to_srgb(image, {}) is image
    assert to_srgb(image, {"icc_profile": b"\0" * 16 + b"RGB " + b"\0" * 200}) is image


def test_another_kind_of_file_is_named() -> None:
    assert "a GIF" in words_for(b"GIF89a")
    assert "HEIC" in words_for(b"\0\0\0\x18ftypheic" + bytes(8))
    assert is_damaged(b"\xff\xd8broken")
    assert not is_damaged(b"GIF89a")


def test_an_ordinary_video_passes_and_deep_boxes_do_not() -> None:
    video = file_of(clip("mp4", "libx264", "aac"))
    Mp4Boxes(video).check()
    deep = b""
    for _ in range(MOST_DEPTH + 2):
        deep = (len(deep) + 8).to_bytes(4) + b"moov" + deep
    nested = file_of(deep)
    with pytest.raises(Invalid):
        Mp4Boxes(nested).check()


def test_too_much_metadata_is_not_called_damage() -> None:
    content = bytes(9 * 1024 * 1024)
    box = (len(content) + 8).to_bytes(4) + b"udta" + content
    video = file_of(clip("mp4", "libx264", "aac") + box)
    with pytest.raises(Invalid) as refused:
        Mp4Boxes(video).check()
    assert "more than 8 MB of metadata" in str(refused.value)
