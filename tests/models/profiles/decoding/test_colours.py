"""Colours: a picture with a profile looks the same after the conversion to sRGB."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from tests.models.profiles.decoding.test_pictures import opened, shrink
from tests.support.media.colour_profiles import ADOBE_RGB, DISPLAY_P3, grey_profile, rgb_profile

SIZE = (240, 240)


def painted(colour: object, mode: str = "RGB", kind: str = "JPEG", **options: object) -> bytes:
    out = BytesIO()
    lossless = {"quality": 100} if kind == "JPEG" else {"lossless": True} if kind == "WEBP" else {}
    Image.new(mode, SIZE, colour).save(out, kind, **lossless, **options)
    return out.getvalue()


def middle(data: bytes) -> tuple[int, ...]:
    return opened(shrink(data)).getpixel((120, 120))


def near(one: tuple[int, ...], other: tuple[int, ...], within: int = 6) -> bool:
    return all(abs(a - b) <= within for a, b in zip(one, other, strict=True))


# What the red, green and blue of sRGB are called in Display P3 and Adobe RGB (gamma 2.2).
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("primaries", "sent", "seen"),
    [
        (DISPLAY_P3, (234, 51, 35), (255, 0, 0)), (DISPLAY_P3, (113, 251, 73), (0, 255, 0)),
        (DISPLAY_P3, (128, 128, 128), (128, 128, 128)), (DISPLAY_P3, (255, 255, 255), (255, 255, 255)),
        (ADOBE_RGB, (219, 0, 0), (255, 0, 0)), (ADOBE_RGB, (128, 128, 128), (128, 128, 128)),
    ],
)  # fmt: skip
def test_a_wide_picture_keeps_its_colour(kind: str, primaries: tuple, sent: tuple, seen: tuple) -> None:
    profile = rgb_profile(primaries)
    assert near(middle(painted(sent, kind=kind, icc_profile=profile)), seen)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_is_kept(kind: str) -> None:
    sent = painted((234, 51, 35, 128), "RGBA", kind, icc_profile=rgb_profile())
    red, green, blue = middle(sent)
    assert near((red, green, blue), (253, 121, 117), 8)


def test_grey_has_its_own_gamma() -> None:
    """188 of linear light would be 222; 188 of gamma 2.2 stays."""
    assert near(middle(painted(188, "L", icc_profile=grey_profile(2.2))), (188,) * 3)
    linear = middle(painted(128, "L", icc_profile=grey_profile(1.0)))
    assert near(linear, (188,) * 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "profile",
    [
        b"x", b"\0" * 128, rgb_profile()[:200], rgb_profile()[:150] + b"\xff" * 300, grey_profile(2.2),
        b"\xff" * 200_000, rgb_profile().replace(b"RGB ", b"CMYK", 1),
    ],
    ids=["short", "zeros", "half", "broken", "of grey", "long", "of ink"],
)  # fmt: skip
def test_an_unsuitable_profile_is_ignored(kind: str, profile: bytes) -> None:
    assert near(middle(painted((10, 200, 30), kind=kind, icc_profile=profile)), (10, 200, 30))


def test_without_a_profile_nothing_changes() -> None:
    assert near(middle(painted((250, 3, 9))), (250, 3, 9))
    assert near(middle(painted((0, 0, 0, 0), "CMYK")), (255, 255, 255))


@pytest.mark.parametrize("mode", ["I;16", "1", "LA", "P"])
def test_deep_and_shallow_pictures_keep_their_greys(mode: str) -> None:
    colour = {"I;16": 0x8080, "1": 1, "LA": (128, 255), "P": 0}[mode]
    seen = {"I;16": (128,) * 3, "1": (255,) * 3, "LA": (128,) * 3, "P": (0,) * 3}[mode]
    for size in (SIZE, (3000, 2000)):
        out = BytesIO()
        Image.new(mode, size, colour).save(out, "PNG")
        assert near(opened(shrink(out.getvalue())).getpixel((100, 100)), seen)
