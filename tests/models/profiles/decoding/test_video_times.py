"""The length of a video, by the times of its packets."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import pytest

from models.errors import Invalid
from models.profiles.decoding.video_times import MOST_SECONDS, VideoTimes


def packet(seconds: float) -> SimpleNamespace:
    return SimpleNamespace(pts=round(seconds * 1000), dts=None, time_base=Fraction(1, 1000), duration=100)


def test_the_last_picture_counts_with_its_duration() -> None:
    times = VideoTimes()
    for number in range(60):
        times.see(packet(number / 10), is_picture=True)
    assert times.seconds() == pytest.approx(6.0)


def length_of(*seconds: float) -> float:
    times = VideoTimes()
    for at in seconds:
        times.see(packet(at), is_picture=True)
    return times.seconds()


@pytest.mark.parametrize("last", [1.0, MOST_SECONDS + 3.0])
def test_too_short_and_too_long(last: float) -> None:
    with pytest.raises(Invalid):
        length_of(0.0, last)
