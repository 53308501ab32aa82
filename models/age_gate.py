"""Nobody under 18: by their word (`confirm`), or by a birth date as well (`MINIMUM_AGE_CHECK=dob`).

Keeps no birth date: what stays of an adult is that they were one that day. A refusal is remembered for a day
as a keyed hash of the address, so that trying again with another date does not help; until then nobody new
comes in from there. Refuses with Invalid (`birthDate`), and with NotAllowed for whoever is too young.
"""

from __future__ import annotations

from datetime import date

from models.clock import Clock
from models.config import Config
from models.db import Db
from models.errors import NotAllowed
from models.rate_limits import subject_of
from models.site_secret import SiteSecret

YEARS = 18
HOURS = 24
PURPOSE = "age"
EARLIEST = date(1900, 1, 1)
TOO_YOUNG = "This site is for people of 18 and older. Sign-up is closed from here for a day."


class AgeGate:
    def __init__(self, db: Db, clock: Clock, config: Config, secret: SiteSecret) -> None:
        self._clock, self._secret = clock, secret
        self._asks = config.asks_birth_date
        self._sql = db.statements("age_gate")

    def faults(self, typed: str | None) -> dict[str, str]:
        """For the form, together with its other fields."""
        if not self._asks or _date_of(typed) is not None:
            return {}
        return {"birthDate": "Give your date of birth as year-month-day, like 1990-05-31."}

    async def check(self, typed: str | None, address: str) -> None:
        """Raises NotAllowed; a refusal is remembered."""
        if not self._asks:
            return
        subject = await self._secret.digest(PURPOSE, subject_of(address))
        now = self._clock.frozen
        if await self._sql.value("is_refused", subject_hash=subject, now=now):
            raise NotAllowed(TOO_YOUNG)
        if not await self._sql.value("is_adult", birth_date=_date_of(typed), years=YEARS, now=now):
            await self._sql.run("refuse", subject_hash=subject, hours=HOURS, now=now)
            raise NotAllowed(TOO_YOUNG)


def _date_of(typed: str | None) -> date | None:
    """RFC 3339's full-date, as date fields send it; None for anything else."""
    try:
        found = date.fromisoformat((typed or "").strip())
    except ValueError:
        return None
    return found if found >= EARLIEST and len((typed or "").strip()) == 10 else None
