"""Admin invite codes, switching codes off, and the invite tree.

An admin code has no owner, but a label and a number of uses or no limit. A code that is switched off here
stays off, whatever its owner pays. Raises: Invalid for an invalid label or limit.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from models.access.typed_codes import code_in
from models.clock import Clock
from models.errors import Invalid, NotFound
from models.ids import new_code
from models.postgres.database import Db
from models.profiles.names import clean_line
from models.security.audit_log import OPERATOR, Audit

LONGEST_LABEL = 60
MOST_USES = 1_000_000
MOST_ROWS = 10_000


class AdminCode(msgspec.Struct, frozen=True):
    """Any code, for the operator; `uses_limit` is None without a limit."""

    code: str
    label: str | None
    uses_limit: int | None
    uses: int
    created_at: datetime
    stopped_at: datetime | None
    owner_id: str | None
    owner_name: str | None


class InvitedUser(msgspec.Struct, frozen=True):
    """A user in the invite tree, `depth` levels below the first code."""

    depth: int
    name: str
    user_id: str | None
    own_code: str | None
    came_at: datetime | None


class AdminCodes:
    def __init__(self, db: Db, clock: Clock, audit: Audit) -> None:
        self._db, self._clock, self._audit = db, clock, audit
        self._sql = db.statements("console.invite_codes")

    async def create(self, label: str, uses_limit: int | None, actor: str = OPERATOR) -> AdminCode:
        """Creates an admin code. Raises: Invalid."""
        faults: dict[str, str] = {}
        try:
            label = clean_line(label, "label", LONGEST_LABEL)
        except Invalid as problem:
            faults |= problem.fields or {}
        if uses_limit is not None and not 1 <= uses_limit <= MOST_USES:
            faults["uses"] = f"Choose 1 to {MOST_USES} uses, or no limit."
        if faults:
            raise Invalid(**faults)
        code = new_code()
        values = {"code": code, "label": label, "uses_limit": uses_limit, "now": self._clock.frozen}
        async with self._db.transaction() as on:
            await self._sql.run("create", on=on, **values)
            await self._audit.write(actor, "code.create", target_of(code), label, on=on)
        return await self.get(code)

    async def get(self, typed: str) -> AdminCode:
        """Raises: NotFound."""
        found = await self._sql.one("find", AdminCode, code=code_in(typed))
        if found is None:
            raise NotFound("There is no such code.")
        return found

    async def stop(self, typed: str, actor: str = OPERATOR, reason: str = "") -> AdminCode:
        """Switches off a code; users who joined with it keep their access. Raises: NotFound."""
        code = (await self.get(typed)).code
        async with self._db.transaction() as on:
            await self._sql.run("stop", on=on, code=code, now=self._clock.frozen)
            await self._audit.write(actor, "code.stop", target_of(code), reason, on=on)
        return await self.get(code)

    async def all(self) -> list[AdminCode]:
        """Admin codes first, then the others; newest first."""
        return await self._sql.all("list", AdminCode, most=MOST_ROWS)

    async def tree(self) -> list[InvitedUser]:
        return await self._sql.all("tree", InvitedUser, most=MOST_ROWS)


def target_of(code: str) -> str:
    """The code's name in the audit log: its last four characters."""
    return f"code …{code[-4:]}"
