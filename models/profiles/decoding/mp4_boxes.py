"""The demuxing cost of an mp4, read from its boxes before it is opened (ISO/IEC 14496-12).

A box may declare more than the file holds: a table of 80 million samples of one size takes twelve bytes. The
declared counts of samples, table entries and boxes are summed here and limited to what a minute of video can
need. The boxes are read from the file one header at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import BinaryIO

from models.errors import Invalid, UnsupportedMedia

# Twice a minute of pictures (60 a second) and sound (400 packets a second).
MOST_SAMPLES = 60_000
MOST_ENTRIES = 200_000
MOST_BOXES = 20_000
MOST_EDITS = 16
MOST_TRACKS = 8
MOST_DEPTH = 12
# Bytes of all metadata boxes, without the samples.
MOST_DESCRIPTION = 8 * 1024 * 1024
TOO_LONG = (
    "This video is damaged or too long: it describes more than a minute of pictures and compressed sound. "
    "Record or choose another one."
)
TOO_MUCH_METADATA = (
    "This video has more than 8 MB of metadata besides its pictures and sound. Export it again without it, "
    "or record one here instead."
)
TOO_MANY_TRACKS = f"A video may have {MOST_TRACKS} tracks at most."
SOUND_WORDS = (
    "The sound of this video is in a format that many browsers cannot play. Use one with AAC or Opus sound, "
    "or record one here instead."
)
# With which a file may begin.
STARTS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
# Uncompressed sound has more samples than the limit, and browsers do not play it.
UNCOMPRESSED = {
    b"sowt", b"twos", b"lpcm", b"ipcm", b"fpcm", b"in24", b"in32", b"fl32", b"fl64", b"raw ", b"NONE",
    b"ulaw", b"alaw",
}  # fmt: skip
CONTAINERS = {
    b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"moof", b"traf", b"mvex", b"udta", b"dinf",
    b"mfra", b"tref", b"gmhd", b"ipro", b"sinf", b"schi", b"wave",
}  # fmt: skip
# Compressed metadata, references to other files, and boxes of encrypted videos and still pictures.
REFUSED = {b"cmov", b"rmra", b"senc", b"saiz", b"saio", b"pssh", b"iloc", b"iinf", b"ipma"}


class Mp4Boxes:
    def __init__(self, file: BinaryIO) -> None:
        self._descriptor = file.fileno()
        self._size = os.fstat(self._descriptor).st_size
        self._boxes = self._samples = self._entries = self._described = self._tracks = 0

    def check(self) -> None:
        """Raises: Invalid if the file declares more than a minute of video can need; UnsupportedMedia, for
        uncompressed sound.
        """
        self._walk(0, self._size, 0)
        if self._tracks > MOST_TRACKS:
            raise Invalid(TOO_MANY_TRACKS)
        if self._samples > MOST_SAMPLES or self._entries > MOST_ENTRIES:
            raise Invalid(TOO_LONG)
        if self._described > MOST_DESCRIPTION:
            raise Invalid(TOO_MUCH_METADATA)

    def _walk(self, start: int, end: int, depth: int) -> None:
        if depth > MOST_DEPTH:
            raise Invalid(TOO_LONG)
        for kind, at, after in self._children(start, end):
            self._boxes += 1
            if self._boxes > MOST_BOXES or kind in REFUSED:
                raise Invalid(TOO_LONG)
            self._tracks += kind == b"trak"
            if depth == 0 and kind in (b"moov", b"moof", b"meta", b"udta", b"uuid"):
                self._described += after - at
            if kind in COUNTED:
                COUNTED[kind](self, at, after)
            elif kind in CONTAINERS:
                self._walk(at, after, depth + 1)

    def _children(self, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
        """(kind, start of the content, end) of each box. A box is cut at the end of its parent."""
        while start + 8 <= end:
            head = os.pread(self._descriptor, 16, start)
            size, kind, header = int.from_bytes(head[:4], "big"), head[4:8], 8
            if size == 1:
                size, header = int.from_bytes(head[8:16], "big"), 16
            after = min(end, start + size) if size else end
            if size and size < header:
                return
            yield kind, start + header, after
            start = after

    def _number(self, at: int) -> int:
        return int.from_bytes(os.pread(self._descriptor, 4, at), "big")

    def _table(self, at: int, after: int) -> None:
        """A table: version, flags and a count, then the entries."""
        self._entries += self._number(at + 4)

    def _edits(self, at: int, after: int) -> None:
        if self._number(at + 4) > MOST_EDITS:
            raise Invalid(TOO_LONG)

    def _sizes(self, at: int, after: int) -> None:
        self._samples += self._number(at + 8)

    def _run(self, at: int, after: int) -> None:
        """A run of samples in a fragment. Samples without flags take no bytes in the file."""
        self._samples += self._number(at + 4)

    def _runs_of_times(self, at: int, after: int) -> None:
        """Entries of (number of samples, duration). A demuxer allocates memory for every sample."""
        count = self._number(at + 4)
        self._entries += count
        if count > MOST_ENTRIES:
            raise Invalid(TOO_LONG)
        table = os.pread(self._descriptor, min(count * 8, max(0, after - at - 8)), at + 8)
        total = sum(int.from_bytes(table[one : one + 4], "big") for one in range(0, len(table), 8))
        if total > MOST_SAMPLES:
            raise Invalid(TOO_LONG)

    def _description(self, at: int, after: int) -> None:
        if self._number(at + 4) > MOST_TRACKS:
            raise Invalid(TOO_LONG)
        if os.pread(self._descriptor, 4, at + 12) in UNCOMPRESSED:
            raise UnsupportedMedia(SOUND_WORDS)


Check = Callable[[Mp4Boxes, int, int], None]
COUNTED: dict[bytes, Check] = {
    b"stsz": Mp4Boxes._sizes, b"stz2": Mp4Boxes._sizes, b"trun": Mp4Boxes._run, b"elst": Mp4Boxes._edits,
    b"stts": Mp4Boxes._runs_of_times, b"ctts": Mp4Boxes._runs_of_times, b"stsd": Mp4Boxes._description,
    b"stsc": Mp4Boxes._table, b"stco": Mp4Boxes._table, b"co64": Mp4Boxes._table, b"stss": Mp4Boxes._table,
    b"stps": Mp4Boxes._table, b"dref": Mp4Boxes._description,
}  # fmt: skip
