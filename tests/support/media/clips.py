"""Small real videos, made with the encoders of PyAV: grey frames, silence, and hidden metadata."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import cache
from io import BytesIO

import av

FAST = {"libx264": {"preset": "ultrafast"}, "libsvtav1": {"preset": "12"}}
LIVELY = {"deadline": "realtime", "cpu-used": "8"}
SECRETS = {"location": "+52.5000-013.4000/", "title": "secret-title", "comment": "secret-comment"}
SAMPLES = {"libopus": 960, "libvorbis": 64}


@cache
def clip(
    kind: str = "webm", picture: str = "libvpx", sound: str | None = "libopus", *, seconds: float = 5.5,
    size: tuple[int, int] = (64, 64), rate: int = 10, turned: int = 0,
) -> bytes:  # fmt: skip
    """`kind` is a container of FFmpeg: webm, mp4, mov, matroska, avi…"""
    out = BytesIO()
    with _ordinary(), av.open(out, "w", format=kind) as container:
        container.metadata.update(SECRETS)
        video = container.add_stream(picture, rate=rate)
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        video.options = LIVELY if "vpx" in picture else FAST.get(picture, {})
        video.metadata["handler_name"] = "secret-handler"
        audio = container.add_stream(sound, rate=48000) if sound else None
        for frame in _pictures(size, round(seconds * rate), rate):
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for silence in _silence(sound, seconds):
            container.mux(audio.encode(silence))
        if audio:
            container.mux(audio.encode(None))
    return turn(out.getvalue(), turned) if turned else out.getvalue()


@contextmanager
def _ordinary() -> Iterator[None]:
    """Resets the priority: SVT-AV1, run by root, makes its caller a real-time thread for good, and with it
    all browsers started later.
    """
    yield
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _pictures(size: tuple[int, int], count: int, rate: int):
    frame = av.VideoFrame(*size, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes([128]) * plane.buffer_size)
    for number in range(count):
        frame.pts, frame.time_base = number, Fraction(1, rate)
        yield frame


def _silence(sound: str | None, seconds: float):
    samples = SAMPLES.get(sound or "", 1024)
    for number in range(int(seconds * 48000 / samples) if sound else 0):
        frame = av.AudioFrame(
            format="fltp" if sound in ("aac", "libvorbis") else "s16", layout="stereo", samples=samples
        )
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts, frame.sample_rate, frame.time_base = number * samples, 48000, Fraction(1, 48000)
        yield frame


def turn(data: bytes, degrees: int) -> bytes:
    """Like a phone held upright: the frames are stored sideways, and the file says how to rotate them."""
    out = BytesIO()
    with av.open(BytesIO(data)) as source, av.open(out, "w", format="mp4") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.set_display_rotation(degrees)
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    return out.getvalue()


def remuxed(data: bytes, only: str = "", **options: str) -> bytes:
    """The same packets in another mp4, with options of the muxer, or of one stream only."""
    out = BytesIO()
    with av.open(BytesIO(data)) as source, av.open(out, "w", format="mp4", options=options) as target:
        kept = [one for one in source.streams if only in ("", one.type)]
        streams = {one.index: target.add_stream_from_template(one) for one in kept}
        for packet in source.demux(kept):
            if packet.size:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    return out.getvalue()


def with_another_sound(data: bytes, other: bytes) -> bytes:
    """A Matroska file with the tracks of one file and the sound of another."""
    out = BytesIO()
    with (
        av.open(BytesIO(data)) as first, av.open(BytesIO(other)) as second,
        av.open(out, "w", format="matroska") as target,
    ):  # fmt: skip
        tracks = [(one, first) for one in first.streams] + [(second.streams.audio[0], second)]
        added = [(one, source, target.add_stream_from_template(one)) for one, source in tracks]
        for one, source, stream in added:
            source.seek(0)
            for packet in source.demux(one):
                if packet.size:
                    packet.stream = stream
                    target.mux(packet)
    return out.getvalue()


def growing(small: bytes, large: bytes) -> bytes:
    """A webm of the one video, followed by the frames of the other in the same stream."""
    out, at = BytesIO(), 0
    with av.open(out, "w", format="webm") as target, av.open(BytesIO(small)) as first:
        stream = target.add_stream_from_template(first.streams.video[0])
        for data in (small, large):
            with av.open(BytesIO(data)) as source:
                for packet in source.demux(video=0):
                    if packet.size:
                        packet.pts = packet.dts = at = at + 100
                        packet.stream = stream
                        target.mux(packet)
    return out.getvalue()


def without_duration(data: bytes) -> bytes:
    """Like a webm from a browser's recorder, whose header has no duration."""
    name, size = b"\x44\x89\x88", 8
    at = data.index(name)
    # EBML's Void element takes its place (RFC 8794, 11.3.2).
    return data[:at] + b"\xec" + bytes([0x80 | (size + 1)]) + bytes(size + 1) + data[at + len(name) + size :]
