"""The tracks that a robot sends: a moving portrait with its name, and a voice that its mouth follows."""

from __future__ import annotations

import asyncio
import math
import time
from fractions import Fraction

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame, VideoFrame
from PIL import Image

from robots import voice
from robots.portraits import Look, caption, portrait

# A line of a picture is then a multiple of 32 bytes, as av stores it.
SIDE = 480
# The portrait is larger than the picture, which moves over it as a hand-held camera does.
MARGIN = 24
FRAMES_PER_SECOND = 12
MOUTHS = (0.0, 0.5, 1.0)
BLINK_EVERY, BLINK_SECONDS = 3.7, 0.17


class Pictures:
    """All drawings of one robot. Building it takes some hundred milliseconds of CPU time."""

    def __init__(self, look: Look, name: str) -> None:
        side = SIDE + 2 * MARGIN
        self._faces = {
            (mouth, are_open): portrait(look, side, mouth=opening, are_eyes_open=are_open)
            for mouth, opening in enumerate(MOUTHS)
            for are_open in (True, False)
        }
        self._caption = caption(name, 22)
        # In the middle and not too low: a page crops the square to its own shape, tall or wide.
        self._corner = (SIDE - self._caption.width) // 2, round(0.76 * SIDE) - self._caption.height

    def at(self, seconds: float) -> Image.Image:
        """The picture at that moment of a call."""
        mouth = min(len(MOUTHS) - 1, round(voice.loudness(seconds) * len(MOUTHS)))
        face = self._faces[mouth, seconds % BLINK_EVERY > BLINK_SECONDS]
        x = MARGIN + round(MARGIN * 0.9 * math.sin(seconds * 0.9))
        y = MARGIN + round(MARGIN * 0.6 * math.sin(seconds * 0.6 + 1))
        picture = face.crop((x, y, x + SIDE, y + SIDE))
        picture.paste(self._caption, self._corner, self._caption)
        return picture


class _Paced(MediaStreamTrack):
    """A track whose frame number `n` is due `n` periods after the start."""

    def __init__(self, period: float, started: float) -> None:
        super().__init__()
        self._period, self._started, self._number = period, started, -1

    async def _next(self) -> int:
        """Frames that are already late are left out. Raises: MediaStreamError, once stopped."""
        self._number = max(self._number + 1, int((time.monotonic() - self._started) / self._period))
        await asyncio.sleep(max(0.0, self._started + self._number * self._period - time.monotonic()))
        if self.readyState != "live":
            raise MediaStreamError
        return self._number


class PortraitTrack(_Paced):
    kind = "video"

    def __init__(self, pictures: Pictures, started: float) -> None:
        super().__init__(1 / FRAMES_PER_SECOND, started)
        self._pictures = pictures

    async def recv(self) -> VideoFrame:
        number = await self._next()
        picture = self._pictures.at(number * self._period)
        frame = VideoFrame(SIDE, SIDE, "rgb24")
        frame.planes[0].update(picture.tobytes())
        frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_SECOND)
        return frame


class VoiceTrack(_Paced):
    kind = "audio"

    def __init__(self, pitch: int, started: float) -> None:
        super().__init__(voice.FRAME_SAMPLES / voice.RATE, started)
        self._pitch = pitch

    async def recv(self) -> AudioFrame:
        number = await self._next()
        frame = AudioFrame(format="s16", layout="mono", samples=voice.FRAME_SAMPLES)
        frame.planes[0].update(voice.frame_at(self._pitch, number))
        frame.sample_rate, frame.pts = voice.RATE, number * voice.FRAME_SAMPLES
        frame.time_base = Fraction(1, voice.RATE)
        return frame
