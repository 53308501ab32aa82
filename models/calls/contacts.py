"""Contacts: handles that the two users of a call exchange after both have agreed.

What each user answered is stored, and a copy of both handles at the moment of sharing. To the other side, a
"no" and no answer always look the same. Two simultaneous agreements share once. Answers are accepted during
the call and for `CONTACTS_HOURS` after it, and ignored later. An answer can be changed until the handles are
shared; a block or a report between the two prevents sharing.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from models.broadcasts import Broadcasts
from models.calls.call import Call, other
from models.calls.pages import CallPage
from models.clock import Clock
from models.messages import ContactsShared
from models.postgres.database import Db, Transaction
from models.profiles.handles import Contact, contacts_of
from models.settings.config import Config


class SharedHandles(msgspec.Struct, frozen=True):
    """The handles that one user shares."""

    user_id: str
    handles: dict[str, str]


class ContactSharing(msgspec.Struct, frozen=True):
    """`said` is the user's own answer (None: not yet); `shared` the other's contacts once both agreed."""

    call_id: str
    is_open: bool
    said: bool | None
    shared: list[Contact] | None


class SharedRow(msgspec.Struct, frozen=True):
    call_id: str
    handles: dict[str, str]


class Contacts:
    def __init__(self, db: Db, clock: Clock, config: Config, broadcasts: Broadcasts) -> None:
        self._db, self._clock, self._config, self._broadcasts = db, clock, config, broadcasts
        self._sql = db.statements("calls.contacts")

    async def say(self, call: Call, user_id: str, *, is_yes: bool) -> None:
        """Stores whether the user shares their handles, and shares if both agree."""
        values = {"call_id": call.call_id, "user_id": user_id, "is_yes": is_yes, "now": self._clock.frozen}

        async def write(on: Transaction) -> list[SharedHandles]:
            await self._sql.run("lock_call", on=on, call_id=call.call_id)
            seconds = self._config.contacts_hours * 3600
            await self._sql.run("say", on=on, window_seconds=seconds, **values)
            return await self._sql.all("share", SharedHandles, on=on, call_id=call.call_id)

        for one in await self._db.transact(write):
            self._publish(call, one)

    def _publish(self, call: Call, given: SharedHandles) -> None:
        """Notifies the other user on every socket."""
        far = other(call.side_of(given.user_id))
        shared = ContactsShared(call_id=call.call_id, handles=given.handles)
        self._broadcasts.to_user(call.user_on(far), shared)
        self._broadcasts.to_call(call.call_id, shared, side=far)

    def sharing(self, page: CallPage) -> ContactSharing:
        """The state of sharing as the page's user may see it."""
        contacts = None if page.shared is None else contacts_of(page.shared)
        return ContactSharing(page.call.call_id, self._is_open(page.call), page.said, contacts)

    def _is_open(self, call: Call) -> bool:
        ended_at = call.progress.ended_at
        window = timedelta(hours=self._config.contacts_hours)
        return ended_at is None or self._clock.now() < ended_at + window

    async def shared_with(self, user_id: str, call_ids: list[str]) -> dict[str, dict[str, str]]:
        """Call id -> the other user's handles; only calls in which both agreed."""
        if not call_ids:
            return {}
        rows = await self._sql.all("shared_with", SharedRow, user_id=user_id, call_ids=call_ids)
        return {row.call_id: row.handles for row in rows}
