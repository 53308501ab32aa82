"""Tombstones: what was deleted stays deleted, even if an older backup is restored.

The ids of deleted users and media are stored twice: as rows, and as lines of a file in the data directory,
which a restore of the database does not change. A line is `kind id instant`; lines are only appended. At
every start `apply` deletes again what a backup has restored, and completes the file, so that every data
directory comes to hold all lines. A line may occur twice. Lines of an unknown kind are ignored.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Literal

import msgspec

from models.accounts.erasure import Erasure
from models.clock import Clock
from models.ids import is_id
from models.messages import instant
from models.postgres.database import Db

logger = logging.getLogger(__name__)
FILE = "tombstones.log"
BATCH = 500
TAIL = 64 * 1024
# For rows of transactions that were not committed at the last read.
OVERLAP = timedelta(minutes=1)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Tombstone(msgspec.Struct, frozen=True):
    kind: Literal["user", "media"]
    id: str
    buried_at: datetime

    @property
    def line(self) -> str:
        return f"{self.kind} {self.id} {instant(self.buried_at)}\n"


class AppliedTombstones(msgspec.Struct, frozen=True):
    """The number of lines, and how many users and media a backup had restored."""

    lines: int = 0
    people: int = 0
    media: int = 0

    def __add__(self, other: AppliedTombstones) -> AppliedTombstones:
        return AppliedTombstones(
            self.lines + other.lines, self.people + other.people, self.media + other.media
        )


class Tombstones:
    def __init__(self, db: Db, clock: Clock, erasure: Erasure, data_dir: Path) -> None:
        self._clock, self._erasure = clock, erasure
        self._sql = db.statements("accounts.tombstones")
        self.file = data_dir / FILE
        self._written_until = BEGINNING

    async def apply(self, file: Path | None = None) -> AppliedTombstones:
        """Deletes again what the file lists, then completes the file of the data directory.

        Raises: OSError for a `file` that cannot be read. The data directory may have no file yet.
        """
        applied = AppliedTombstones()
        if file or self.file.exists():
            for batch in batches_of(file or self.file):
                applied += await self._delete_again(batch)
        await self.write()
        if applied.people or applied.media:
            logger.warning("deleted again what a backup had restored", extra=msgspec.structs.asdict(applied))
        return applied

    async def _delete_again(self, stones: list[Tombstone]) -> AppliedTombstones:
        people = [stone.id for stone in stones if stone.kind == "user"]
        media = [stone.id for stone in stones if stone.kind == "media"]
        await self._insert(stones)
        restored = await self._sql.all("restored_users", str, ids=people)
        for user_id in restored:
            await self._erasure.erase(user_id)
        deleted = await self._sql.run("delete_media", ids=media)
        return AppliedTombstones(len(stones), len(restored), deleted)

    async def _insert(self, stones: list[Tombstone]) -> None:
        kinds, ids = [stone.kind for stone in stones], [stone.id for stone in stones]
        await self._sql.run("remember", kinds=kinds, ids=ids, instants=[one.buried_at for one in stones])

    async def write(self) -> None:
        """Appends the missing lines and syncs the file. A failure is logged; the rows are in the database."""
        newest = self._written_until
        stones = await self._sql.all("since", Tombstone, instant=max(newest - OVERLAP, BEGINNING))
        if not stones:
            return
        is_first = newest == BEGINNING
        try:
            await asyncio.to_thread(append, self.file, stones, whole=is_first)
        except OSError as error:
            logger.error("tombstones cannot be written to the data directory: %s", error.strerror)
        else:
            self._written_until = stones[-1].buried_at

    async def export(self, target: Path) -> int:
        """Writes all tombstones to a file, to be stored elsewhere. Raises: OSError."""
        stones = await self._sql.all("since", Tombstone, instant=BEGINNING)
        await asyncio.to_thread(target.write_text, "".join(stone.line for stone in stones))
        return len(stones)


def append(file: Path, stones: list[Tombstone], *, whole: bool) -> None:
    """Appends the missing lines under a file lock. Compares with the end of the file, or with the `whole`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+b") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        size = opened.seek(0, os.SEEK_END)
        opened.seek(0 if whole else max(0, size - TAIL))
        known = opened.read()
        ids = {word for line in known.splitlines() for word in line.split()[1:2]}
        lines = [stone.line.encode() for stone in stones if stone.id.encode() not in ids]
        # A line cut short by a crash is closed, so that the next one starts on its own line.
        torn = b"\n" if known and not known.endswith(b"\n") else b""
        opened.write(torn + b"".join(lines) if lines else b"")
        opened.flush()
        os.fsync(opened.fileno())


def batches_of(file: Path) -> Iterator[list[Tombstone]]:
    with file.open(encoding="utf-8", errors="replace") as opened:
        stones = (stone for line in opened if (stone := read_line(line)) is not None)
        while batch := list(islice(stones, BATCH)):
            yield batch


def read_line(line: str) -> Tombstone | None:
    """None if the line is not a tombstone."""
    parts = line.split()
    if len(parts) != 3 or not is_id(parts[1]):
        return None
    try:
        return msgspec.convert(dict(zip(("kind", "id", "buried_at"), parts, strict=True)), Tombstone)
    except msgspec.ValidationError:
        return None
