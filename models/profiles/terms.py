"""Which version of the terms each member has accepted, when, and its exact text.

A member is asked again when the version changes (`models.settings.terms`). Every acceptance is kept, with the
text as it was shown. Raises: Conflict, if the terms have changed since they were shown.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from models.clock import Clock
from models.errors import Conflict
from models.postgres.database import Db, Transaction
from models.settings.terms import Terms

CHANGED = "The terms have changed once more. Read them again."


class Acceptance(msgspec.Struct, frozen=True):
    version: str
    accepted_at: datetime
    # Markdown; and its SHA-256 in hexadecimal.
    text: str
    text_hash: str


class TermsAcceptances:
    def __init__(self, db: Db, clock: Clock, current: Terms) -> None:
        self._clock, self.current = clock, current
        self._sql = db.statements("profiles.terms")

    def check(self, shown: str | None) -> None:
        """Raises: Conflict."""
        if shown is not None and shown != self.current.version:
            raise Conflict(CHANGED)

    async def accept(self, user_id: str, shown: str | None = None, *, on: Transaction | None = None) -> None:
        """Records the current version, once. `shown` is the version that the member has read, if known."""
        self.check(shown)
        terms = self.current
        values = {"version": terms.version, "text_hash": terms.text_hash, "text": terms.text}
        await self._sql.run("accept", on=on, user_id=user_id, **values, now=self._clock.frozen)

    async def of(self, user_id: str) -> list[Acceptance]:
        """All that the user has accepted, the oldest first."""
        return await self._sql.all("of", Acceptance, user_id=user_id)
