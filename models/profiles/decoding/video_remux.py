"""Video copying in a decoder process: a clean copy of an upload. The only module that imports PyAV.

The copy has the compressed pictures and sound of the upload in a new container
(docs/decisions/product/videos-remuxed.md). All packets are read; key frames and sound are decoded as
far as the CPU time allows, spread over the whole length.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any, BinaryIO

import av
from av.bitstream import BitStreamFilterContext
from av.stream import Disposition

from models.errors import Invalid, UnsupportedMedia
from models.profiles.decoding.decoder import cpu_left
from models.profiles.decoding.file_slice import FileSlice
from models.profiles.decoding.mp4_boxes import MOST_TRACKS, SOUND_WORDS, STARTS, TOO_MANY_TRACKS, Mp4Boxes
from models.profiles.decoding.picture_formats import AVIF_BRANDS, HEIC_BRANDS
from models.profiles.decoding.video_times import VideoTimes

LONGEST_SIDE = 1920
# CPU seconds reserved for the rest of the copy.
RESERVE_SECONDS = 0.5
KINDS = "Use a video in webm or mp4 (H.264, VP8, VP9 or AV1)."
HEVC_WORDS = "This video is HEVC, which many browsers cannot play. Record one here instead."
# Decoder options: no memory for more pixels, no loop filter.
DECODING = {"max_pixels": str(LONGEST_SIDE**2), "skip_loop_filter": "all"}
# What browsers play: (picture codec, sound codec) -> container.
CONTAINERS = {
    ("h264", None): "mp4", ("h264", "aac"): "mp4", ("h264", "opus"): "mp4",
    ("vp8", None): "webm", ("vp8", "opus"): "webm", ("vp8", "vorbis"): "webm",
    ("vp9", None): "webm", ("vp9", "opus"): "webm", ("vp9", "vorbis"): "webm", ("vp9", "aac"): "mp4",
    ("av1", None): "webm", ("av1", "opus"): "webm", ("av1", "vorbis"): "webm", ("av1", "aac"): "mp4",
}  # fmt: skip
CODECS = {"libdav1d": "av1"}  # the decoder's name differs from the codec's


def work(source: BinaryIO, target: BinaryIO, _: dict[str, Any]) -> dict[str, Any]:
    """Writes the copy to the empty `target`, and one frame behind it. Returns the copy's content type, length
    in seconds and size, and the frame's description.

    Raises: UnsupportedMedia, Invalid, and any exception of PyAV for a damaged video.
    """
    with ExitStack() as stack:
        return _Copy(source, target, stack).run()


def demuxer_of(source: BinaryIO) -> str:
    """The demuxer by the first bytes. Only these two: no playlists, no formats that open other files."""
    head = source.read(12)
    source.seek(0)
    if not head:
        raise Invalid("Record or choose a video first.")
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "matroska"
    if head[4:12] in [b"ftyp" + brand for brand in (*HEIC_BRANDS, *AVIF_BRANDS)]:
        raise UnsupportedMedia("This is a photo. " + KINDS)
    if head[4:8] in STARTS:
        Mp4Boxes(source).check()
        return "mov"
    raise UnsupportedMedia(KINDS)


class _Copy:
    """One pass: every packet is copied to the new container, and decoded if there is time."""

    def __init__(self, source: BinaryIO, target: BinaryIO, stack: ExitStack) -> None:
        kind = demuxer_of(source)
        self._source: Any = stack.enter_context(av.open(source, format=kind, options=DECODING))
        if len(self._source.streams) > MOST_TRACKS:
            raise Invalid(TOO_MANY_TRACKS)
        self._video = self._picture_stream()
        self._audio: Any = self._sound_stream()
        self._container = self._container_of()
        # Checks the size in the header, for a clear message; the decoder checks the actual size.
        self._check_size(self._video)
        self._target = target
        self._out = stack.enter_context(self._open_target())
        self._outputs = {
            one.index: self._out.add_stream_from_template(one, opaque=True) for one in self._streams
        }
        is_h264 = self._video.codec_context.name == "h264"
        self._sei = BitStreamFilterContext("filter_units=remove_types=6", self._video) if is_h264 else None
        self._times = VideoTimes()
        self._last_dts: dict[int, int] = {}
        self._checks = [_Check(one, self._check_size) for one in self._streams]

    def _picture_stream(self) -> Any:
        """The first video stream that is not a cover picture."""
        moving = [
            one for one in self._source.streams.video if Disposition.attached_pic not in one.disposition
        ]
        if not moving:
            raise UnsupportedMedia("There is no picture in this file. " + KINDS)
        return moving[0]

    def _sound_stream(self) -> Any:
        """The first sound that browsers play with this picture, or else the first; None without sound."""
        picture, sounds = _codec_of(self._video), self._source.streams.audio
        played = (one for one in sounds if (picture, _codec_of(one)) in CONTAINERS)
        return next(played, next(iter(sounds), None))

    @property
    def _streams(self) -> list[Any]:
        return [one for one in (self._video, self._audio) if one is not None]

    def _container_of(self) -> str:
        picture, sound = _codec_of(self._video), self._audio and _codec_of(self._audio)
        if (picture, sound) in CONTAINERS:
            return CONTAINERS[picture, sound]
        if (picture, None) in CONTAINERS:
            raise UnsupportedMedia(SOUND_WORDS)
        raise UnsupportedMedia(HEVC_WORDS if picture == "hevc" else KINDS)

    def _open_target(self) -> Any:
        """For mp4 with the metadata first: the muxer reads the file reopened to move it to the front."""
        options = {"avoid_negative_ts": "make_zero", "fflags": "+bitexact"}
        if self._container == "mp4":
            options["movflags"] = "faststart"
        reopened = partial(_reopened, self._target)
        return av.open(self._target, "w", format=self._container, options=options, io_open=reopened)

    def run(self) -> dict[str, Any]:
        checks = {one.stream.index: one for one in self._checks}
        for packet in self._source.demux(self._streams):
            if packet.size:
                position = self._times.see(packet, is_picture=packet.stream.index == self._video.index)
                checks[packet.stream.index].see(packet, position)
            for copy in self._cleaned(packet):
                self._out.mux(copy)
        for check in self._checks:
            check.end()
        seconds = self._times.seconds()
        self._out.close()
        byte_size = self._target.seek(0, os.SEEK_END)
        found = {"content_type": f"video/{self._container}", "seconds": seconds, "byte_size": byte_size}
        return found | self._frame()

    def _frame(self) -> dict[str, Any]:
        """Writes one frame behind the video. Without one the video is taken as well."""
        frame = next(one.frame for one in self._checks if one.stream.type == "video")
        try:
            # Its import takes memory that other requests need not have.
            from models.profiles.decoding import descriptions

            return descriptions.of_frame(frame, self._target)
        except (MemoryError, OSError, ValueError, ArithmeticError):
            return {}

    def _check_size(self, picture: Any) -> None:
        if max(picture.width, picture.height) > LONGEST_SIDE:
            raise Invalid(f"A video may be {LONGEST_SIDE} pixels wide or high at most.")

    def _cleaned(self, packet: Any) -> Iterator[Any]:
        """Packets for the copy, without H.264 SEI, which may carry any text (ITU-T H.264 annex D)."""
        output = self._outputs[packet.stream.index]
        for copy in self._without_text(packet):
            if copy.size:
                self._put_in_order(copy, packet.stream.index)
                copy.stream = output
                yield copy

    def _put_in_order(self, copy: Any, index: int) -> None:
        """Makes timestamps strictly increasing: fragmented recordings repeat some, and muxers refuse that."""
        dts = copy.pts if copy.dts is None else copy.dts
        copy.dts = max(dts, self._last_dts.get(index, dts - 1) + 1)
        copy.pts = copy.dts if copy.pts is None else max(copy.pts, copy.dts)
        self._last_dts[index] = copy.dts

    def _without_text(self, packet: Any) -> list[Any]:
        if not packet.size:
            return []
        is_video = packet.stream.index == self._video.index
        return list(self._sei.filter(packet)) if self._sei and is_video else [packet]


class _Check:
    """The decoding of one stream within its time: key frames of pictures, every packet of sound."""

    def __init__(self, stream: Any, check_size: Any) -> None:
        self.stream, self._check_size = stream, check_size
        # The first decoded picture.
        self.frame: Any = None
        self._is_video, self._frames = stream.type == "video", 0
        self._budget = (cpu_left() - RESERVE_SECONDS) * (0.7 if self._is_video else 0.3)
        self._spent = 0.0
        context = stream.codec_context
        context.thread_count = 1
        if self._is_video:
            # Options given to av.open apply only to probing.
            context.options = DECODING
            context.skip_frame = "NONKEY"

    def see(self, packet: Any, position: float) -> None:
        """Decodes the packet if the time spent is within the budget for its position."""
        if self._is_video and not packet.is_keyframe:
            return
        if self._spent < self._budget * (0.2 + 0.8 * position):
            self._decode(packet)

    def _decode(self, packet: Any) -> None:
        began = cpu_left()
        for frame in self.stream.codec_context.decode(packet):
            self._frames += 1
            if self._is_video:
                self._check_size(frame)
                self.frame = self.frame or frame
        self._spent += began - cpu_left()

    def end(self) -> None:
        """Flushes the decoder. Raises: Invalid if there was no picture."""
        self._decode(None)
        if self._is_video and not self._frames:
            raise Invalid("This video is damaged. Record or choose another one.")


def _codec_of(stream: Any) -> str:
    """The name of the stream's codec; empty if libav does not know it."""
    name = "" if stream.codec_context is None else str(stream.codec_context.name)
    return CODECS.get(name, name)


def _reopened(file: BinaryIO, *_: object) -> FileSlice:
    return FileSlice(file, 0, os.fstat(file.fileno()).st_size)
