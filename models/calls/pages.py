"""What the page of a call shows its user, live or ended: one statement."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from models.calls.call import Call, read_call
from models.errors import NotFound
from models.messages import Person
from models.postgres.database import Db
from models.profiles.users import Profile


class _PageRow(msgspec.Struct, frozen=True):
    peer: Profile | None
    cooldown_until: datetime | None
    said: bool | None
    shared: dict[str, str] | None
    is_blocked: bool


class CallPage(msgspec.Struct, frozen=True):
    """`peer` is None once deleted; `cooldown_until` when the pair may call again. `said` is the user's own
    answer about contacts (None: not yet), `shared` the peer's handles once both agreed. `is_blocked`: by this
    user.
    """

    call: Call
    peer: Person | None
    cooldown_until: datetime | None
    said: bool | None
    shared: dict[str, str] | None
    is_blocked: bool


class CallPages:
    def __init__(self, db: Db) -> None:
        self._sql = db.statements("calls.pages")

    async def of(self, call_id: str, user_id: str) -> CallPage:
        """Raises: NotFound, also for a call of others."""
        found = await self._sql.one("of", dict[str, Any], call_id=call_id, user_id=user_id)
        if found is None:
            raise NotFound("There is no such call of yours.")
        row = msgspec.convert(found, _PageRow)
        peer = None if row.peer is None else row.peer.person
        return CallPage(read_call(found), peer, row.cooldown_until, row.said, row.shared, row.is_blocked)
