"""Pictures that moderators removed, as perceptual hashes, for `REPORT_DAYS`, without their owners.

A new picture is the same if at most `SAME_BITS` of 256 differ, and similar up to `SIMILAR_BITS`
(docs/decisions/product/perceptual-hashes.md has the measured rates). A granted appeal forgets the picture.
"""

from __future__ import annotations

from typing import Literal

from models.clock import Clock
from models.postgres.database import Db, Transaction
from models.profiles.decoded import Decoded

SAME_BITS, SIMILAR_BITS = 16, 48
Resemblance = Literal["same", "similar"]


class RemovedPictures:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._clock = clock
        self._has_bit_count: bool | None = None
        self._sql = db.statements("profiles.removed_pictures")

    async def remember(self, picture_id: str, media_id: str, *, on: Transaction) -> None:
        """Call it before the file is detached. No effect for a picture without hashes."""
        values = {"picture_id": picture_id, "media_id": media_id, "now": self._clock.frozen}
        await self._sql.run("remember", on=on, **values)

    async def forget(self, picture_id: str, *, on: Transaction) -> None:
        await self._sql.run("forget", on=on, picture_id=picture_id)

    async def resemblance(self, new: Decoded) -> Resemblance | None:
        """How near the nearest removed picture is."""
        if not new.turned:
            return None
        if self._has_bit_count is None:
            self._has_bit_count = await self._sql.value("has_bit_count")
        asked = list(new.turned)
        if self._has_bit_count:
            bits = await self._sql.value("nearest", hashes=asked)
        else:
            bits = await self._sql.value("nearest_by_text", hashes=asked)
        if bits is None or bits > SIMILAR_BITS:
            return None
        return "same" if bits <= SAME_BITS else "similar"
