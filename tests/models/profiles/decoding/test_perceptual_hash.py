"""Perceptual hashes: which changes of a picture they survive, and the rates on generated portraits."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from models.profiles.decoding.perceptual_hash import HASH_BYTES, turned, variants
from models.profiles.screening.removed_pictures import SAME_BITS, SIMILAR_BITS
from robots.portraits import look_of, portrait
from tests.conftest import ROOT

PAGE = ROOT / "docs/decisions/product/perceptual-hashes.md"
SEEDS = range(12)


def again(image: Image.Image, quality: int = 50) -> Image.Image:
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=quality)
    return Image.open(file)


def cut(left: float, top: float, right: float, bottom: float) -> Callable[[Image.Image], Image.Image]:
    def apply(image: Image.Image) -> Image.Image:
        wide, high = image.size
        return image.crop(
            (int(wide * left), int(high * top), int(wide * (1 - right)), int(high * (1 - bottom)))
        )

    return apply


def framed(share: float, colour: str) -> Callable[[Image.Image], Image.Image]:
    return lambda image: ImageOps.expand(image, int(image.width * share), colour)


def bars(image: Image.Image) -> Image.Image:
    return ImageOps.expand(image, (0, image.height // 4), "black")


def instant_photo(image: Image.Image) -> Image.Image:
    sheet = Image.new("RGB", (int(image.width * 1.1), int(image.height * 1.25)), "white")
    sheet.paste(image, (image.width // 20, image.height // 20))
    return sheet


def in_itself(share: float, radius: float) -> Callable[[Image.Image], Image.Image]:
    """A frame that is no plain colour: the picture itself, enlarged and blurred."""

    def apply(image: Image.Image) -> Image.Image:
        wide = int(image.width * share)
        sheet = image.resize((image.width + 2 * wide, image.height + 2 * wide))
        sheet = sheet.filter(ImageFilter.GaussianBlur(radius))
        sheet.paste(image, (wide, wide))
        return sheet

    return apply


CHANGES: dict[str, tuple[Callable[[Image.Image], Image.Image], int]] = {
    "encoded again": (lambda image: again(image, 30), SAME_BITS),
    "smaller": (lambda image: image.resize((200, 200)), SAME_BITS),
    "other sides": (lambda image: image.resize((400, 330)), SAME_BITS),
    "mirrored": (ImageOps.mirror, SAME_BITS),
    "turned by a right angle": (lambda image: image.rotate(90), SAME_BITS),
    "upside down and mirrored": (lambda image: ImageOps.mirror(image).rotate(180), SAME_BITS),
    "grey": (lambda image: image.convert("L"), SAME_BITS),
    "less contrast": (lambda image: ImageEnhance.Contrast(image).enhance(0.6), SAME_BITS),
    "cut by 4 % on each side": (cut(0.04, 0.04, 0.04, 0.04), SIMILAR_BITS),
    "cut by 5 % on two sides": (cut(0.05, 0, 0, 0.05), SIMILAR_BITS),
    "in a white frame of 3 %": (framed(0.03, "white"), SAME_BITS),
    "in a white frame of 5 %": (framed(0.05, "white"), SAME_BITS),
    "in a red frame of 10 %": (framed(0.1, "#cc2222"), SAME_BITS),
    "in a black frame of 20 %": (framed(0.2, "black"), SAME_BITS),
    "between black bars": (bars, SAME_BITS),
    "as an instant photo": (instant_photo, SAME_BITS),
    "mirrored in a frame": (lambda image: ImageOps.mirror(framed(0.05, "white")(image)), SAME_BITS),
    "cut in a frame": (lambda image: framed(0.05, "white")(cut(0.04, 0.04, 0.04, 0.04)(image)), SAME_BITS),
    "in itself, blurred, by 5 %": (in_itself(0.05, 12), SAME_BITS),
    "in itself, blurred, by 10 %": (in_itself(0.1, 12), SIMILAR_BITS),
    "cut by 8 % at the bottom": (cut(0, 0, 0, 0.08), SIMILAR_BITS),
    "cut by 12 % at the left": (cut(0.12, 0, 0, 0), SIMILAR_BITS),
    "cut by 15 % at the top": (cut(0, 0.15, 0, 0), SIMILAR_BITS),
    "cut by 20 % at the bottom": (cut(0, 0, 0, 0.2), SIMILAR_BITS),
    "turned by 2 degrees": (lambda image: image.rotate(2, Image.Resampling.BILINEAR), SIMILAR_BITS),
}


def bits(one: list[bytes], other: list[bytes]) -> int:
    """The least number of differing bits."""
    numbers = [int.from_bytes(value, "big") for value in other]
    return min((int.from_bytes(a, "big") ^ b).bit_count() for a in one for b in numbers)


@pytest.fixture(scope="module")
def portraits() -> list[Image.Image]:
    return [portrait(look_of(seed, "female"), 300) for seed in SEEDS]


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_picture_is_recognised(name: str, portraits: list[Image.Image]) -> None:
    change, most = CHANGES[name]
    for image in portraits[:3]:
        assert bits(turned(again(change(image))), variants(image)) <= most


def test_a_flat_picture_has_no_hash() -> None:
    assert turned(Image.new("RGB", (300, 300), "#c65f3a")) == []
    assert turned(Image.new("L", (300, 300))) == []


def test_a_hash_has_256_bits(portraits: list[Image.Image]) -> None:
    assert {len(one) for one in (*turned(portraits[0]), *variants(portraits[0]))} == {HASH_BYTES}
    # The drawing has a plain corner, so there is one without a frame as well.
    assert (len(turned(portraits[0])), len(variants(portraits[0]))) == (8 * 5, 36)


def test_a_framed_picture_is_recognised_without_its_frame(portraits: list[Image.Image]) -> None:
    for image in portraits[:3]:
        assert bits(turned(again(image)), variants(again(framed(0.1, "white")(image)))) <= SAME_BITS


def test_pictures_of_unrelated_structure_are_far_apart(portraits: list[Image.Image]) -> None:
    """Blocks of random grey against drawn faces."""
    for seed, face in enumerate(portraits):
        noise = Image.effect_noise((12, 12), 100 + seed).resize((300, 300), Image.Resampling.BICUBIC)
        assert bits(turned(noise), variants(face)) > SIMILAR_BITS + 20


@pytest.mark.prove
def test_the_rates_on_the_page_are_those_of_the_generated_portraits() -> None:
    """120 portraits: one drawing with other colours, hair, beards and glasses, so the worst case."""
    looks = {look_of(seed, gender): None for seed in range(40) for gender in ("female", "male", "nonbinary")}
    images = [portrait(look, 400) for look in looks]
    asked, kept = [turned(image) for image in images], [variants(image) for image in images]
    found = [bits(one, other) for i, one in enumerate(asked) for j, other in enumerate(kept) if i != j]
    rates = [
        round(100 * sum(one <= most for one in found) / len(found)) for most in (SAME_BITS, SIMILAR_BITS)
    ]
    said = re.search(
        r"(\d+) % of the pairs are the same, (\d+) % similar", " ".join(PAGE.read_text("utf-8").split())
    )
    assert said is not None
    assert [int(number) for number in said.groups()] == rates
