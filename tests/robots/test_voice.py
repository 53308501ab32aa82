"""The robots' voice: syllables with pauses, never loud."""

from __future__ import annotations

import array

from robots import voice


def test_it_speaks_and_pauses() -> None:
    levels = [voice.loudness(tenth / 10) for tenth in range(10 * voice.LOOP_SECONDS)]
    assert max(levels) > 0.5
    assert levels.count(0.0) > len(levels) / 2


def test_it_is_quiet_and_has_no_end() -> None:
    samples = array.array("h", voice.frame_at(180, 5) + voice.frame_at(180, 5 + 50 * voice.LOOP_SECONDS))
    assert len(samples) == 2 * voice.FRAME_SAMPLES
    assert samples[: voice.FRAME_SAMPLES] == samples[voice.FRAME_SAMPLES :]
    assert 0 < max(samples) <= voice.LOUDEST
