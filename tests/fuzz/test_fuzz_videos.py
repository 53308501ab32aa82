"""Damaged and hostile videos in the real decoder process: an answer within two seconds and 300 MB."""

from __future__ import annotations

import random

import pytest

from models.profiles.decoding.decoder import VIDEO
from tests.fuzz.budget import rounds
from tests.fuzz.decoders import Bounds, mutated
from tests.support.media.bombs import HUNGRY_VIDEOS
from tests.support.media.clips import clip, growing, remuxed, without_duration


def seeds() -> list[bytes]:
    mp4, webm = clip("mp4", "libx264", "aac"), clip()
    return [
        mp4, webm, clip("webm", "libvpx-vp9", None), clip("mp4", "libsvtav1", "aac"), without_duration(webm),
        clip("mp4", "libx264", None, turned=90), remuxed(mp4, movflags="frag_keyframe+empty_moov"),
        remuxed(mp4, movflags="frag_every_frame+default_base_moof"), clip("matroska", "libx264", "libopus"),
        growing(clip(sound=None), clip(sound=None, size=(4096, 2048), rate=1)), *HUNGRY_VIDEOS.values(),
    ]  # fmt: skip


@pytest.mark.prove
def test_any_video_is_answered_within_the_bounds() -> None:
    chance, made, bounds = random.Random(7), seeds(), Bounds(VIDEO)
    for number in rounds():
        seed = made[number % len(made)]
        bounds.try_one(seed if number < len(made) else mutated(seed, chance))
    bounds.check()
