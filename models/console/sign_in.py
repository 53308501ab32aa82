"""Sign-in and sign-out of staff: name and password, then six digits, each counted before it is checked.

An unknown name, a wrong password and a disabled member of staff have the same answer, in text and in time. A
time step of the second factor counts once, also for simultaneous attempts. Sign-ins and sign-outs are in the
audit log. Raises: NotSignedIn, Invalid (`code`), TooMany, Unavailable.
"""

from __future__ import annotations

import msgspec

from models.console.sessions import StaffMember, StaffSessions
from models.console.staff import WRONG_CODE, key_of
from models.errors import NotSignedIn
from models.postgres.database import Db
from models.security.audit_log import Audit
from models.security.passwords import Passwords
from models.security.rate_limits import RateLimits
from models.security.second_factors import SecondFactors

WRONG = "That name and password do not match."


class _Secrets(msgspec.Struct, frozen=True):
    staff_id: str
    password_hash: str


class StaffSignIn:
    def __init__(
        self,
        db: Db,
        audit: Audit,
        passwords: Passwords,
        rate_limits: RateLimits,
        factors: SecondFactors,
        sessions: StaffSessions,
    ) -> None:
        self._db, self._audit, self._passwords = db, audit, passwords
        self._rate_limits, self._factors, self._sessions = rate_limits, factors, sessions
        self._sql = db.statements("console.staff")

    async def first(self, name: str, password: str, address: str) -> str:
        """Checks the password and returns a token that only admits to the second factor."""
        key = key_of(name)[:200]
        async with self._rate_limits.attempt(f"staff {key}", address):
            known = await self._sql.one("secrets_of", _Secrets, name_key=key)
            hashed = known.password_hash if known else None
            if not await self._passwords.matches(password, hashed, address) or known is None:
                raise NotSignedIn(WRONG)
            async with self._db.transaction() as on:
                return await self._sessions.create(known.staff_id, has_passed=False, on=on)

    async def second(self, who: StaffMember, code: str) -> str:
        """Checks the second factor and returns a signed-in token. Attempts count per member of staff."""
        async with self._rate_limits.second_factor(who.staff_id):
            seed = await self._sql.value("seed_of", staff_id=who.staff_id)
            step = await self._factors.step_of(seed, code) if seed else None
            async with self._db.transaction() as on:
                values = {"staff_id": who.staff_id, "step": step}
                if step is None or not await self._sql.run("use_step", on=on, **values):
                    raise NotSignedIn(WRONG_CODE)
                token = await self._sessions.pass_second(who.session_id, on=on)
                await self._audit.write(who.staff_id, "staff.sign_in", f"staff {who.staff_id}", on=on)
        return token

    async def out(self, who: StaffMember) -> None:
        """Ends a session. Only a complete sign-in is written to the audit log."""
        async with self._db.transaction() as on:
            await self._sessions.end(who.session_id, on=on)
            if who.has_passed:
                await self._audit.write(who.staff_id, "staff.sign_out", f"staff {who.staff_id}", on=on)
