"""Damaged and hostile pictures in the real decoder process: an answer within two seconds and 300 MB."""

from __future__ import annotations

import random
from io import BytesIO

import pytest
from PIL import Image

from models.profiles.decoding.decoder import PICTURE
from tests.fuzz.budget import rounds
from tests.fuzz.decoders import Bounds, mutated
from tests.handlers.base.test_uploads import png_bomb
from tests.support.media.bombs import many_scans
from tests.support.media.colour_profiles import rgb_profile


def seeds() -> list[bytes]:
    noise = Image.effect_noise((400, 300), 60)
    made = []
    for mode, kind, options in [
        ("RGB", "JPEG", {"progressive": True}), ("RGB", "JPEG", {"restart_marker_rows": 1}),
        ("CMYK", "JPEG", {}), ("RGB", "JPEG", {"icc_profile": rgb_profile()}), ("RGBA", "PNG", {}),
        ("P", "PNG", {"transparency": 3}), ("I;16", "PNG", {}),
        ("RGB", "PNG", {"icc_profile": rgb_profile()}),
        ("RGB", "WEBP", {}), ("RGBA", "WEBP", {"lossless": True}),
        ("RGB", "WEBP", {"save_all": True, "append_images": [noise] * 3}),
        ("RGB", "PNG", {"save_all": True, "append_images": [noise.convert("RGB")] * 3}),
    ]:  # fmt: skip
        out = BytesIO()
        noise.convert(mode).save(out, kind, **options)
        made.append(out.getvalue())
    return [*made, many_scans(32, (6000, 6000)), many_scans(300), png_bomb(6300, 6300)]


@pytest.mark.prove
def test_any_picture_is_answered_within_the_bounds() -> None:
    chance, made, bounds = random.Random(7), seeds(), Bounds(PICTURE, is_selfie=True)
    for number in rounds():
        seed = made[number % len(made)]
        bounds.try_one(seed if number < len(made) else mutated(seed, chance))
    bounds.check()
