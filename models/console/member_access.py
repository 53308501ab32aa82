"""A member's access, for admins: the reasons for it, and granting and withdrawing them.

An admin grants and withdraws `comp`, and withdraws access by a code and gives it back.
What a payment has granted follows the payment alone: a refund ends it. Each change has a reason and is
written with its audit row in one transaction; doing it twice changes nothing. With the last reason the user's
own code stops, and comes back with access. Raises: Invalid (no reason), NotFound, Conflict.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from models.access.grants import AccessChange, GrantReason, Grants
from models.access.invite_codes import InviteCodes
from models.errors import Conflict, Invalid, NotFound
from models.ids import is_id
from models.postgres.database import Db, Transaction
from models.security.audit_log import Audit, why

WITHDRAWN = "withdrawn by the staff"


class AccessReason(msgspec.Struct, frozen=True):
    """One reason for access. `ended_reason` says why it has ended."""

    grant_id: str
    reason: GrantReason
    source: str
    granted_at: datetime
    ended_at: datetime | None
    ended_reason: str | None

    @property
    def may_be_withdrawn(self) -> bool:
        return self.ended_at is None and self.reason != "payment"

    @property
    def may_be_restored(self) -> bool:
        return self.ended_at is not None and self.ended_reason == WITHDRAWN


class MemberAccess:
    def __init__(self, db: Db, grants: Grants, invite_codes: InviteCodes, audit: Audit) -> None:
        self._db, self._grants, self._invite_codes, self._audit = db, grants, invite_codes, audit
        self._sql = db.statements("console.member_access")

    async def of(self, user_id: str) -> list[AccessReason]:
        """Every reason, the newest first, also those that have ended."""
        return await self._sql.all("of", AccessReason, user_id=user_id)

    async def change(self, user_id: str, action: str, grant_id: str, reason: str, staff_id: str) -> None:
        """`comp` grants access; `withdraw` and `restore` change the reason `grant_id`."""
        text = why(reason)
        async with self._db.transaction() as on:
            if not is_id(user_id) or not await self._sql.value("is_there", on=on, user_id=user_id):
                raise NotFound("There is no such user.")
            if action not in ("comp", "withdraw", "restore"):
                raise Invalid(action="Choose what to do.")
            await self._grants.lock(user_id, on=on)
            change = await self._apply(user_id, action, grant_id, on)
            if change is None:
                raise Conflict("That is so already.")
            await self._follow(change, on)
            await self._audit.write(staff_id, f"access.{action}", f"user {user_id}", text, on=on)
        self._grants.publish(change)

    async def _apply(self, user_id: str, action: str, grant_id: str, on: Transaction) -> AccessChange | None:
        if action == "comp":
            source = f"console-{user_id}"
            granted = await self._grants.grant_locked(user_id, "comp", source, on=on)
            return granted or await self._grants.give_back_locked(user_id, "comp", source, on=on)
        found = await self._sql.all("of", AccessReason, on=on, user_id=user_id)
        one = next((one for one in found if one.grant_id == grant_id), None)
        if one is None:
            raise NotFound("There is no such reason for access.")
        if one.reason == "payment":
            raise Conflict("What was paid for ends with a refund.")
        if action == "withdraw":
            return await self._grants.take_away_locked(user_id, one.reason, one.source, WITHDRAWN, on=on)
        if one.ended_at is not None and not one.may_be_restored:
            raise Conflict("This was not withdrawn by the staff.")
        return await self._grants.give_back_locked(user_id, one.reason, one.source, on=on)

    async def _follow(self, change: AccessChange, on: Transaction) -> None:
        """The user's own code."""
        if change.access == "unpaid":
            await self._invite_codes.stop_own(change.user_id, on=on)
        else:
            await self._invite_codes.resume_own(change.user_id, on=on)
