"""Generated portraits: pleasant, varied, and always the same for the same robot."""

from __future__ import annotations

import io

from PIL import Image, ImageChops

from models.accounts.robots import CAST
from robots.portraits import jpeg, look_of, portrait
from robots.tracks import SIDE, Pictures


def test_no_two_partners_look_alike() -> None:
    looks = {look_of(seed, gender) for seed, (_, gender) in enumerate(CAST)}
    assert len(looks) == len(CAST)


def test_a_robot_always_looks_the_same() -> None:
    look = look_of(3, "male")
    assert portrait(look, 64).tobytes() == portrait(look_of(3, "male"), 64).tobytes()


def test_a_selfie_fits_the_limits_of_the_site() -> None:
    data = jpeg(look_of(0, "female"), 256)
    assert Image.open(io.BytesIO(data)).size == (256, 256)


def test_the_picture_moves_and_the_mouth_follows_the_voice() -> None:
    pictures = Pictures(look_of(1, "male"), "Noah, robot")
    still, later = pictures.at(8.0), pictures.at(8.5)
    assert still.size == (SIDE, SIDE)
    assert ImageChops.difference(still, later).getbbox() is not None
