"""The decision about a new picture or video before it is stored: taken, flagged for the staff, or refused.

What resembles a removed picture is flagged. The same picture is refused, unless REUPLOADS=flag; with
REUPLOADS=off nothing is compared. A match of the external service is flagged or refused by HASH_MATCH_ACTION.
A flag raises an alert and is shown on the member's page of the console; it changes nothing for the user.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from models.clock import Clock
from models.errors import Invalid
from models.mail.alerts import Alerts
from models.postgres.database import Db, Transaction
from models.profiles.decoded import Decoded
from models.profiles.media import MediaKind
from models.profiles.screening.hash_match import HashMatch
from models.profiles.screening.removed_pictures import RemovedPictures
from models.settings.config import Config

Cause = Literal["removed", "service"]
REFUSED = "This cannot be shown here. Use another one."


class PictureFlag(msgspec.Struct, frozen=True):
    """Why a picture on a card was flagged."""

    media_id: str
    kind: MediaKind
    cause: Cause
    flagged_at: datetime


class Screening:
    def __init__(self, db: Db, clock: Clock, config: Config, alerts: Alerts) -> None:
        self._clock, self._config, self._alerts = clock, config, alerts
        self.service = HashMatch(clock, config)
        self.removed = RemovedPictures(db, clock)
        self._sql = db.statements("profiles.removed_pictures")

    async def check(self, new: Decoded, kind: MediaKind) -> Cause | None:
        """Why the picture is flagged, or None. Raises: Invalid, if it is refused."""
        found = None if self._config.reuploads == "off" else await self.removed.resemblance(new)
        if found == "same" and self._config.reuploads == "refuse":
            raise Invalid(**{kind: REFUSED})
        is_match = await self.service.is_match(new.data, kind)
        if is_match and self._config.hash_match_action == "refuse":
            raise Invalid(**{kind: REFUSED})
        if is_match:
            return "service"
        return None if found is None else "removed"

    async def keep(
        self, owner_id: str, media_id: str, new: Decoded, cause: Cause | None, *, frame: bool, on: Transaction
    ) -> None:
        """Stores the description of a new file, and its flag. `frame`: keep the picture of a video."""
        values = {"hashes": list(new.variants), "preview": new.preview or None}
        kept = new.data if frame and new.data else None
        await self._sql.run("describe", on=on, media_id=media_id, frame=kept, **values)
        if cause is not None:
            await self._sql.run("flag", on=on, media_id=media_id, cause=cause, now=self._clock.frozen)
            await self._alerts.raise_alert("picture", f"/admin/people/{owner_id}", on=on)

    async def flags_of(self, user_id: str) -> list[PictureFlag]:
        """The flags of what is on the card now."""
        return await self._sql.all("flags_of", PictureFlag, user_id=user_id)
