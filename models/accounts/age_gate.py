"""The age gate: adults only, by their own statement or also by a birth date.

With `MINIMUM_AGE_CHECK=dob` a birth date is required. It is checked and not stored. A refusal is stored for a
day as a keyed hash of address and browser together: another date does not help, and other people behind the
same address are not refused. Raises: Invalid (`birthDate`, also in the future), NotAllowed (too young).
"""

from __future__ import annotations

from datetime import date

from models.clock import Clock
from models.errors import Invalid, NotAllowed
from models.postgres.database import Db
from models.security.addresses import subject_of
from models.security.site_secret import SiteSecret
from models.settings.config import Config

YEARS = 18
HOURS = 24
PURPOSE = "age"
EARLIEST = date(1900, 1, 1)
NO_DATE = "Give your date of birth as year-month-day, like 1990-05-31."
TOO_YOUNG = "This site is for people aged 18 and over. In this browser, sign-up is closed for a day."


class AgeGate:
    def __init__(self, db: Db, clock: Clock, config: Config, secret: SiteSecret) -> None:
        self._clock, self._secret = clock, secret
        self._asks = config.asks_birth_date
        self._sql = db.statements("accounts.age_gate")

    def faults(self, typed: str | None) -> dict[str, str]:
        """The fault of the field, so that the form can show it together with the others."""
        if not self._asks or _date_of(typed) is not None:
            return {}
        return {"birthDate": NO_DATE}

    async def check(self, typed: str | None, address: str, browser: str) -> None:
        """`browser` is the User-Agent. Raises: NotAllowed, which is stored; Invalid."""
        if not self._asks:
            return
        subject = await self._secret.digest(PURPOSE, f"{subject_of(address)} {browser}")
        now = self._clock.frozen
        if await self._sql.value("is_refused", subject_hash=subject, now=now):
            raise NotAllowed(TOO_YOUNG)
        age = await self._sql.value("age", birth_date=_date_of(typed), now=now)
        if age is None:
            raise Invalid(birthDate=NO_DATE)
        if age < YEARS:
            await self._sql.run("refuse", subject_hash=subject, hours=HOURS, now=now)
            raise NotAllowed(TOO_YOUNG)


def _date_of(typed: str | None) -> date | None:
    """Parses a full-date of RFC 3339, as date fields send it. None for anything else."""
    try:
        found = date.fromisoformat((typed or "").strip())
    except ValueError:
        return None
    return found if found >= EARLIEST and len((typed or "").strip()) == 10 else None
