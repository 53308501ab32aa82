"""The age gate of the sign-up: adults only, by their own statement or also by a birth date.

With `MINIMUM_AGE_CHECK=dob` a birth date is required. It is checked and not stored. A refusal is stored for
`AGE_REFUSAL_HOURS` as a keyed hash of the address: in that time no birth date is accepted from it, whatever
the browser. This also refuses other people behind the same address, and helps only as long as the address
stays the same. Raises: Invalid (`birthDate`, also in the future), NotAllowed (too young).
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
PURPOSE = "age"
EARLIEST = date(1900, 1, 1)
NO_DATE = "Give your date of birth as year-month-day, like 1990-05-31."
TOO_YOUNG = (
    "This site is for people aged 18 and over. From this connection, or in this browser, someone has said "
    "that they are younger: sign-up is closed here for a while."
)
TOO_YOUNG_BY_PROVIDER = "The provider says that you are under 18. This site is for people aged 18 and over."


class AgeGate:
    def __init__(self, db: Db, clock: Clock, config: Config, secret: SiteSecret) -> None:
        self._clock, self._secret = clock, secret
        self._asks, self._hours = config.asks_birth_date, config.age_refusal_hours
        self._sql = db.statements("accounts.age_gate")

    def faults(self, typed: str | None) -> dict[str, str]:
        """The fault of the field, so that the form can show it together with the others."""
        if not self._asks or _date_of(typed) is not None:
            return {}
        return {"birthDate": NO_DATE}

    async def check(self, typed: str | None, address: str) -> None:
        """Raises: NotAllowed, which is stored; Invalid."""
        if not self._asks:
            return
        subject = await self._secret.digest(PURPOSE, subject_of(address))
        now = self._clock.frozen
        if await self._sql.value("is_refused", subject_hash=subject, now=now):
            raise NotAllowed(TOO_YOUNG)
        age = await self._sql.value("age", birth_date=_date_of(typed), now=now)
        if age is None:
            raise Invalid(birthDate=NO_DATE)
        if age < YEARS:
            await self._sql.run("refuse", subject_hash=subject, hours=self._hours, now=now)
            raise NotAllowed(TOO_YOUNG)


def _date_of(typed: str | None) -> date | None:
    """Parses a full-date of RFC 3339, as date fields send it. None for anything else."""
    try:
        found = date.fromisoformat((typed or "").strip())
    except ValueError:
        return None
    return found if found >= EARLIEST and len((typed or "").strip()) == 10 else None
