"""The decoding of a large WebP in little memory, by libav; Pillow holds four copies of the pixels.

A still picture of 40 megapixels takes a second of CPU time, and 80 MB without or 250 MB with transparency.
"""

from __future__ import annotations

from typing import BinaryIO

import av
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from PIL import Image

MODES = {"RGB": "rgb24", "RGBA": "rgba"}


def reduced(source: BinaryIO, side: int) -> Image.Image:
    """At most `side` pixels wide and high, in RGB or RGBA. Raises: exceptions of libav for a damaged file."""
    source.seek(0)
    with av.open(source, "r", format="webp_pipe") as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for frame in container.decode(stream):
            return _small(frame, side)
    raise ValueError("a WebP without a picture")


def _small(frame: VideoFrame, side: int) -> Image.Image:
    scale = min(1.0, side / max(frame.width, frame.height))
    size = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    mode = "RGBA" if any(part.is_alpha for part in frame.format.components) else "RGB"
    small = frame.reformat(*size, format=MODES[mode], interpolation=Interpolation.AREA)
    plane = small.planes[0]
    return Image.frombytes(mode, size, bytes(plane), "raw", mode, plane.line_size)
