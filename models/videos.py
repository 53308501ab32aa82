"""Intro videos: what was sent is decoded to its end, and a clean copy of it is kept. The one door to PyAV.

Keeps one video a person, re-muxed: the compressed pictures and sound as they came, in a container of our own
making (docs/decisions/videos-remuxed.md). Promises that what is kept has been decoded, picture by picture,
that two are decoded at a time, and that the rest wait at most 30 s. Refuses more than 50 MB (TooLarge), what
is no webm or mp4 with a codec that browsers play (UnsupportedMedia), and what is damaged, too short, too
long, too large a picture or too much work (Invalid).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from tempfile import TemporaryFile
from typing import Any, BinaryIO

import av
import msgspec
from av.bitstream import BitStreamFilterContext

from models.clock import Clock
from models.db import Db
from models.decoding import RETRY_SECONDS, Decoding
from models.errors import Invalid, NotFound, Problem, Unavailable, UnsupportedMedia
from models.file_parts import Part
from models.media import Media

MOST_BYTES = 50 * 1024 * 1024
LEAST_SECONDS, MOST_SECONDS = 5, 60
# A recorder that is told to stop at sixty seconds stops a little later.
LATE_SECONDS = 0.5
LONGEST_SIDE = 1920
MOST_FRAMES = 61 * 60
CPU_SECONDS = 30.0
# On their way to this process at a time (2 GB of disk), and of these one person's.
MOST_UPLOADS = 40
MOST_OWN = 3
DAMAGED = "This video is damaged. Record or choose another one."
KINDS = "Use a video in webm or mp4 (H.264, VP8, VP9 or AV1)."
# For the decoders: no memory for more pixels, and no beauty.
DECODING = {"max_pixels": str(LONGEST_SIDE**2), "skip_loop_filter": "all"}
Source = BinaryIO | Part
# What a browser plays: picture and sound -> the container that holds both.
CONTAINERS = {
    ("h264", None): "mp4", ("h264", "aac"): "mp4", ("h264", "opus"): "mp4",
    ("vp8", None): "webm", ("vp8", "opus"): "webm", ("vp8", "vorbis"): "webm",
    ("vp9", None): "webm", ("vp9", "opus"): "webm", ("vp9", "vorbis"): "webm", ("vp9", "aac"): "mp4",
    ("av1", None): "webm", ("av1", "opus"): "webm", ("av1", "vorbis"): "webm", ("av1", "aac"): "mp4",
}  # fmt: skip
CODECS = {"libdav1d": "av1"}  # a decoder with a name of its own


class Kept(msgspec.Struct, frozen=True):
    """What is known of the clean copy."""

    content_type: str
    byte_size: int
    seconds: float


class Videos:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._media = Media(db, clock)
        self._users = db.statements("users")
        self._decoding = Decoding("video")
        # Whose, while they are on their way.
        self.uploads: dict[BinaryIO, str] = {}

    async def save(self, user_id: str, source: Source) -> str:
        """The media id of the new video; the old one is gone.

        Raises UnsupportedMedia, Invalid, Unavailable, NotFound (deleted meanwhile).
        """
        # Not buffered: the muxer reads what it has written through a second view of the file.
        with TemporaryFile(buffering=0) as target:
            kept = await self._decoding.run(partial(copy_clean, source, target))
            target.seek(0)
            async with self._db.transaction() as on:
                media_id = await self._media.save_file(
                    user_id, "video", kept.content_type, target, kept.byte_size, on=on
                )
                if not await self._users.run("set_video", on=on, user_id=user_id, video_id=media_id):
                    raise NotFound
                await self._media.delete_older(user_id, "video", media_id, on=on)
        return media_id

    async def remove(self, user_id: str) -> None:
        """Nothing happens when there is none."""
        async with self._db.transaction() as on:
            await self._users.run("set_video", on=on, user_id=user_id, video_id=None)
            await self._media.delete_older(user_id, "video", None, on=on)

    def open_upload(self, user_id: str) -> BinaryIO:
        """An unnamed file to receive into: closing it is all it takes to leave nothing. Raises Unavailable.

        Give it back with `close_upload`.
        """
        if len(self.uploads) >= MOST_UPLOADS or list(self.uploads.values()).count(user_id) >= MOST_OWN:
            raise Unavailable(retry_after=RETRY_SECONDS)
        file = TemporaryFile()  # noqa: SIM115
        self.uploads[file] = user_id
        return file

    def close_upload(self, file: BinaryIO) -> None:
        """Twice is no fault."""
        self.uploads.pop(file, None)
        file.close()

    async def close(self) -> None:
        self._decoding.close()


def copy_clean(source: Source, target: BinaryIO) -> Kept:
    """Fills the empty `target`. Blocking. Raises UnsupportedMedia, Invalid."""
    try:
        with ExitStack() as stack:
            return _Copy(source, target, stack).run()
    except Problem:
        raise
    except Exception as error:  # a demuxer or decoder raises whatever a hostile file leads it to
        raise Invalid(video=DAMAGED) from error


def demuxer_of(source: Source) -> str:
    """By the first bytes. Only these two are ever asked: no playlist, no format that opens other files."""
    head = source.read(12)
    source.seek(0)
    if not head:
        raise Invalid(video="Record or choose a video first.")
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "matroska"
    if head[4:8] == b"ftyp":
        return "mov"
    raise UnsupportedMedia(KINDS)


class _Copy:
    """One pass: each packet is decoded, and the same packet goes into the new container."""

    def __init__(self, source: Source, target: BinaryIO, stack: ExitStack) -> None:
        kind = demuxer_of(source)
        self._source: Any = stack.enter_context(av.open(source, format=kind, options=DECODING))
        if not self._source.streams.video:
            raise UnsupportedMedia("There is no picture in this file. " + KINDS)
        self._video: Any = self._source.streams.video[0]
        # By the header, in plain words; the decoder refuses by itself what the header does not own up to.
        self._check_size(self._video)
        self._audio: Any = next(iter(self._source.streams.audio), None)
        self._container = self._container_of()
        self._target = target
        self._out = stack.enter_context(self._open_target())
        self._outputs = {
            one.index: self._out.add_stream_from_template(one, opaque=True) for one in self._streams
        }
        is_h264 = self._video.codec_context.name == "h264"
        self._sei = BitStreamFilterContext("filter_units=remove_types=6", self._video) if is_h264 else None
        self._frames, self._first, self._last = 0, float("inf"), 0.0

    @property
    def _streams(self) -> list[Any]:
        return [one for one in (self._video, self._audio) if one is not None]

    def _container_of(self) -> str:
        names = [None if one is None else one.codec_context.name for one in (self._video, self._audio)]
        picture, sound = (CODECS.get(name, name) if name else None for name in names)
        if picture == "hevc":
            raise UnsupportedMedia(
                "This video is HEVC, which many browsers cannot play. Record one here instead."
            )
        try:
            return CONTAINERS[picture or "", sound]
        except KeyError as error:
            raise UnsupportedMedia(KINDS) from error

    def _open_target(self) -> Any:
        """An mp4 says first what is in it: the muxer reads its own work again to move that to the front."""
        options = {"avoid_negative_ts": "make_zero", "fflags": "+bitexact"}
        if self._container == "mp4":
            options["movflags"] = "faststart"
        again = partial(_again, self._target)
        return av.open(self._target, "w", format=self._container, options=options, io_open=again)

    def run(self) -> Kept:
        began = time.thread_time()
        for one in self._streams:
            one.codec_context.thread_count = 1
        # Those given on opening hold for the first look only.
        self._video.codec_context.options = DECODING
        for packet in self._source.demux(self._streams):
            self._decode(packet)
            if time.thread_time() - began > CPU_SECONDS:
                raise Invalid(video="This video takes too long to read. Use a smaller one.")
            for copy in self._cleaned(packet):
                self._out.mux(copy)
        seconds = self._seconds()
        self._out.close()
        return Kept(f"video/{self._container}", self._target.seek(0, 2), seconds)

    def _decode(self, packet: Any) -> None:
        for frame in packet.decode():
            at = frame.time
            if at is None or at - min(self._first, at) > MOST_SECONDS + 2:
                raise Invalid(video=f"A video may be {MOST_SECONDS} seconds long at most.")
            if isinstance(frame, av.VideoFrame):
                self._see(frame, at)

    def _see(self, frame: av.VideoFrame, at: float) -> None:
        self._frames += 1
        self._check_size(frame)
        if self._frames > MOST_FRAMES:
            raise Invalid(video="A video may have 60 pictures a second at most.")
        length = float((frame.duration or 0) * (frame.time_base or 0))
        self._first, self._last = min(self._first, at), max(self._last, at + length)

    def _check_size(self, picture: Any) -> None:
        if max(picture.width, picture.height) > LONGEST_SIDE:
            raise Invalid(video=f"A video may be {LONGEST_SIDE} pixels wide or high at most.")

    def _seconds(self) -> float:
        """By the pictures themselves: a header may say nothing (a browser's recording) or anything."""
        seconds = self._last - self._first if self._frames > 1 else 0.0
        if seconds < LEAST_SECONDS:
            raise Invalid(video=f"A video needs {LEAST_SECONDS} seconds at least.")
        if seconds > MOST_SECONDS + LATE_SECONDS:
            raise Invalid(video=f"A video may be {MOST_SECONDS} seconds long at most.")
        return seconds

    def _cleaned(self, packet: Any) -> Iterator[Any]:
        """H.264 may carry any text beside its pictures (SEI, ITU-T H.264 annex D): that goes."""
        output = self._outputs[packet.stream.index]
        for copy in self._without_text(packet):
            if copy.size:
                copy.dts = copy.pts if copy.dts is None else copy.dts
                copy.stream = output
                yield copy

    def _without_text(self, packet: Any) -> list[Any]:
        if not packet.size:
            return []
        is_video = packet.stream.index == self._video.index
        return list(self._sei.filter(packet)) if self._sei and is_video else [packet]


def _again(file: BinaryIO, *_: object) -> Part:
    return Part(file, 0, os.fstat(file.fileno()).st_size)
