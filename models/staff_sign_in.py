"""How the staff come in and go: a name and a password, then six digits, each counted before it is judged.

Promises that an unknown name, a wrong password and somebody disabled answer alike, in words and in time; that
a time step of the second factor counts once, however many ask with it at once; and that who comes and goes is
in the audit log. Refuses with NotSignedIn, Invalid (`code`), TooMany, Unavailable.
"""

from __future__ import annotations

import msgspec

from models.audit import Audit
from models.db import Db
from models.errors import NotSignedIn
from models.passwords import Passwords
from models.rate_limits import RateLimits
from models.second_factors import SecondFactors
from models.staff import WRONG_CODE, key_of
from models.staff_sessions import StaffMember, StaffSessions

WRONG = "That name and password do not go together."


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
        self._sql = db.statements("staff")

    async def first(self, name: str, password: str, address: str) -> str:
        """Half a sign-in: its token asks for the second factor and opens nothing else."""
        key = key_of(name)[:200]
        async with self._rate_limits.attempt(f"staff {key}", address):
            known = await self._sql.one("secrets_of", _Secrets, name_key=key)
            hashed = known.password_hash if known else None
            if not await self._passwords.matches(password, hashed, address) or known is None:
                raise NotSignedIn(WRONG)
            async with self._db.transaction() as on:
                return await self._sessions.create(known.staff_id, has_passed=False, on=on)

    async def second(self, who: StaffMember, code: str) -> str:
        """A new token, which is signed in. The count is the person's: from wherever they try."""
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
        """Half a sign-in that is given up was none."""
        async with self._db.transaction() as on:
            await self._sessions.end(who.session_id, on=on)
            if who.has_passed:
                await self._audit.write(who.staff_id, "staff.sign_out", f"staff {who.staff_id}", on=on)
