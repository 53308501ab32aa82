"""Access grants: access is one of `unpaid paid invited comped`.

Each reason for access (payment, code, comp) is a row with a source that is unique for its reason. The same
reason from the same source is granted once; losing one removes only that one. Changes of one user are
serialised by `lock`: every transaction takes it once, before its first change. The user is notified after the
commit, never before (`publish`).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from models import messages
from models.broadcasts import AccessEvent, Broadcasts
from models.clock import Clock
from models.ids import new_id
from models.postgres.database import Db, Transaction

GrantReason = Literal["payment", "code", "comp"]


class AccessChange(msgspec.Struct, frozen=True):
    """A change of access, published once the transaction is committed."""

    user_id: str
    access: messages.Access


class Grants:
    def __init__(self, db: Db, clock: Clock, broadcasts: Broadcasts) -> None:
        self._db, self._clock, self._broadcasts = db, clock, broadcasts
        self._sql = db.statements("access.grants")

    async def of(self, user_id: str, *, on: Transaction | None = None) -> messages.Access:
        """The strongest reason that is still valid: paid, then comped, then invited."""
        access: messages.Access = await self._sql.value("of", on=on, user_id=user_id)
        return access

    async def lock(self, user_id: str, *, on: Transaction) -> None:
        """Serialises changes of this user's access until the transaction ends."""
        await self._sql.run("lock_user", on=on, user_id=user_id)

    async def grant(self, user_id: str, reason: GrantReason, source: str) -> AccessChange | None:
        """Commits the grant and notifies the user. None if it was granted before."""

        async def grant(on: Transaction) -> AccessChange | None:
            await self.lock(user_id, on=on)
            return await self.grant_locked(user_id, reason, source, on=on)

        change = await self._db.transact(grant)
        self.publish(change)
        return change

    async def grant_locked(
        self, user_id: str, reason: GrantReason, source: str, *, on: Transaction
    ) -> AccessChange | None:
        """The change to `publish` after the commit; None if granted before. The caller holds `lock`."""
        values = {"grant_id": new_id(), "user_id": user_id, "reason": reason, "source": source}
        is_new = await self._sql.run("grant", on=on, now=self._clock.frozen, **values) == 1
        return await self._change(user_id, on) if is_new else None

    async def take_away(self, reason: GrantReason, source: str, why: str) -> AccessChange | None:
        """Commits the end of one reason and notifies the user. None if it does not exist or has ended."""
        change = None
        async with self._db.transaction() as on:
            user_id = await self._sql.value("find_owner", on=on, reason=reason, source=source)
            if user_id is not None:
                await self.lock(user_id, on=on)
                change = await self.take_away_locked(user_id, reason, source, why, on=on)
        self.publish(change)
        return change

    async def take_away_locked(
        self, user_id: str, reason: GrantReason, source: str, why: str, *, on: Transaction
    ) -> AccessChange | None:
        """As `take_away`, inside the caller's transaction, which holds `lock`; `why` is kept with the row."""
        values = {"reason": reason, "source": source, "why": why, "now": self._clock.frozen}
        has_ended = await self._sql.run("take_away", on=on, **values) == 1
        return await self._change(user_id, on) if has_ended else None

    async def give_back_locked(
        self, user_id: str, reason: GrantReason, source: str, *, on: Transaction
    ) -> AccessChange | None:
        """Undoes `take_away`. None if there is nothing to undo. The caller holds `lock`."""
        is_back = await self._sql.run("give_back", on=on, reason=reason, source=source) == 1
        return await self._change(user_id, on) if is_back else None

    def publish(self, change: AccessChange | None) -> None:
        """Publishes `access:changed` to the user's sockets. None publishes nothing."""
        if change is not None:
            self._broadcasts.publish_to_user(change.user_id, AccessEvent(access=change.access))

    async def _change(self, user_id: str, on: Transaction) -> AccessChange:
        return AccessChange(user_id=user_id, access=await self.of(user_id, on=on))
