"""Who may come in, and why: access is one of `unpaid paid invited comped`.

Keeps reasons as rows (payment, code, comp), each from a source that is unique for its reason. Promises that
the same reason from the same source is granted once, that losing one removes only that one, and that changes
of one person follow each other. Whoever changes it tells the person after the commit, never before: `tell`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from models import members
from models.clock import Clock
from models.db import Db, Transaction
from models.ids import new_id
from models.news import AccessNews, News

Reason = Literal["payment", "code", "comp"]


class AccessChange(msgspec.Struct, frozen=True):
    """What is to be told once the transaction has been committed."""

    user_id: str
    access: members.Access


class Access:
    def __init__(self, db: Db, clock: Clock, news: News) -> None:
        self._db, self._clock, self._news = db, clock, news
        self._sql = db.statements("access")

    async def of(self, user_id: str, *, on: Transaction | None = None) -> members.Access:
        """The strongest reason that still holds: paid, then comped, then invited."""
        access: members.Access = await self._sql.value("of", on=on, user_id=user_id)
        return access

    async def lock(self, user_id: str, *, on: Transaction) -> None:
        """Until the transaction ends, nobody else changes this person's access."""
        await self._sql.run("lock_user", on=on, user_id=user_id)

    async def grant(
        self, user_id: str, reason: Reason, source: str, *, on: Transaction | None = None
    ) -> AccessChange | None:
        """What to tell after the commit; None: granted before. Without `on` it commits and tells itself."""
        if on is None:
            async with self._db.transaction() as own:
                change = await self.grant(user_id, reason, source, on=own)
            self.tell(change)
            return change
        await self.lock(user_id, on=on)
        values = {"grant_id": new_id(), "user_id": user_id, "reason": reason, "source": source}
        is_new = await self._sql.run("grant", on=on, now=self._clock.frozen, **values) == 1
        return await self._change(user_id, on) if is_new else None

    async def take_away(
        self, reason: Reason, source: str, why: str, *, on: Transaction | None = None
    ) -> AccessChange | None:
        """Ends one reason, and with `why` says what did. None: there is none, or it has ended before."""
        if on is None:
            async with self._db.transaction() as own:
                change = await self.take_away(reason, source, why, on=own)
            self.tell(change)
            return change
        user_id = await self._sql.value("find_owner", on=on, reason=reason, source=source)
        if user_id is None:
            return None
        await self.lock(user_id, on=on)
        values = {"reason": reason, "source": source, "why": why, "now": self._clock.frozen}
        has_ended = await self._sql.run("take_away", on=on, **values) == 1
        return await self._change(user_id, on) if has_ended else None

    async def give_back(self, reason: Reason, source: str, *, on: Transaction) -> AccessChange | None:
        """Undoes `take_away`, whose cause has gone. None: there is nothing to undo."""
        user_id = await self._sql.value("find_owner", on=on, reason=reason, source=source)
        if user_id is None:
            return None
        await self.lock(user_id, on=on)
        is_back = await self._sql.run("give_back", on=on, reason=reason, source=source) == 1
        return await self._change(user_id, on) if is_back else None

    def tell(self, change: AccessChange | None) -> None:
        """`access:changed` on every screen of the person; None tells nothing."""
        if change is not None:
            self._news.about_user(change.user_id, AccessNews(access=change.access))

    async def _change(self, user_id: str, on: Transaction) -> AccessChange:
        return AccessChange(user_id=user_id, access=await self.of(user_id, on=on))
