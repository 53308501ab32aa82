"""A tone like a voice: syllables, a falling sentence, then a pause. Quiet, and generated once per pitch."""

from __future__ import annotations

import array
import math
from functools import lru_cache

RATE = 16_000
FRAME_SAMPLES = RATE // 50
LOOP_SECONDS = 9
SENTENCE_SECONDS = 3.6
SYLLABLES_PER_SECOND = 4.2
LOUDEST = 0.16 * 32767
# Strength of each harmonic, roughly an open vowel.
HARMONICS = (1.0, 0.6, 0.35, 0.2)


def loudness(seconds: float) -> float:
    """0 to 1 at that moment of the endless loop; the mouth follows it."""
    at = seconds % LOOP_SECONDS
    if at >= SENTENCE_SECONDS:
        return 0.0
    syllable = math.sin(math.pi * (at * SYLLABLES_PER_SECOND % 1.0))
    return float(syllable * syllable * (0.7 + 0.3 * math.sin(at * 2.1)))


@lru_cache(maxsize=4)
def loop(pitch: int) -> bytes:
    """One loop as 16-bit mono samples at `RATE`; `pitch` in hertz."""
    samples = array.array("h", bytes(2 * RATE * LOOP_SECONDS))
    phase = 0.0
    for at in range(int(RATE * SENTENCE_SECONDS)):
        seconds = at / RATE
        # A sentence falls by a fifth and wavers a little.
        phase += 2 * math.pi * pitch * (1.08 - 0.06 * seconds + 0.02 * math.sin(9 * seconds)) / RATE
        tone = sum(share * math.sin(phase * number) for number, share in enumerate(HARMONICS, 1))
        samples[at] = round(LOUDEST * loudness(seconds) * tone / sum(HARMONICS))
    return samples.tobytes()


def frame_at(pitch: int, number: int) -> bytes:
    """The samples of the 20 ms frame with that number."""
    size = 2 * FRAME_SAMPLES
    start = number % (LOOP_SECONDS * 50) * size
    return loop(pitch)[start : start + size]
