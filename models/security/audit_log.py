"""The audit log: which member of staff did what to whom, why and when.

Rows can only be added (triggers refuse everything else). Each holds a SHA-256 over the previous hash and its
own fields, and is written in the transaction that it describes. `verify` finds the first broken row; rows cut
off at the end are detected only against a hash stored elsewhere. Rows hold ids, never names of members,
secrets, or texts of members.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import msgspec

from models.clock import Clock
from models.errors import Invalid
from models.postgres.database import Db, Transaction

OPERATOR = "operator"
MOST_WORDS = 500
PAGE = 100
STRIDE = 1000
NEWEST = 2**62
FIRST = "00" * 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Entry(msgspec.Struct, frozen=True):
    """A row, for the page."""

    seq: int
    at: datetime
    actor: str
    actor_name: str
    action: str
    target: str
    reason: str
    hash: str

    @property
    def kind(self) -> str:
        """The kind of its target: `user`, `report`, `staff`, `code`, `payment`."""
        return self.target.partition(" ")[0]

    @property
    def target_id(self) -> str:
        return self.target.partition(" ")[2]


class ChainRow(msgspec.Struct, frozen=True):
    """One row of the chain, hashes in hexadecimal."""

    seq: int
    at: datetime
    actor: str
    action: str
    target: str
    reason: str
    previous: str
    hash: str


class Verified(msgspec.Struct, frozen=True):
    """The number of valid rows, the first broken one, and the hash of the last valid one (`head`)."""

    rows: int
    head: str
    broken: int | None


class Audit:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._db, self._clock = db, clock
        self._sql = db.statements("security.audit_log")

    async def write(self, actor: str, action: str, target: str, reason: str = "", *, on: Transaction) -> None:
        """Writes a row, as the last step of a transaction: other writers wait until it commits.

        A lock taken after it could deadlock with a waiting writer.
        """
        values = {"actor": actor, "action": action, "target": target, "now": self._clock.frozen}
        await self._sql.run("write", on=on, reason=reason.strip()[:MOST_WORDS], **values)

    async def note(self, actor: str, action: str, target: str, reason: str = "") -> None:
        """Writes a row for an action that changes nothing else, such as a view."""
        async with self._db.transaction() as on:
            await self.write(actor, action, target, reason, on=on)

    async def page(self, before: int | None = None) -> list[Entry]:
        """Rows before a number, newest first."""
        return await self._sql.all("page", Entry, before=before or NEWEST, most=PAGE)

    async def verify(self) -> Verified:
        """Recomputes the whole chain in this process."""
        seen, head = 0, FIRST
        while rows := await self._sql.all("chain", ChainRow, after=seen, most=STRIDE):
            for row in rows:
                if not follows(row, seen, head):
                    return Verified(rows=seen, head=head, broken=seen + 1)
                seen, head = row.seq, row.hash
        return Verified(rows=seen, head=head, broken=None)


def follows(row: ChainRow, seq: int, head: str) -> bool:
    """Whether a row is the next of the chain and unchanged."""
    own = hashlib.sha256(bytes.fromhex(row.previous) + written(row)).hexdigest()
    return row.seq == seq + 1 and row.previous == head and row.hash == own


def written(row: ChainRow) -> bytes:
    """The serialised row, as `audit_row` in the schema writes it."""
    micros = (row.at - _EPOCH) // timedelta(microseconds=1)
    fields = [str(row.seq), str(micros), row.actor, row.action, row.target, row.reason]
    return ",".join(f"{len(field.encode())}:{field}" for field in fields).encode()


def staff_of(actor: str) -> str | None:
    """The id of a member of staff; None for the operator."""
    return None if actor == OPERATOR else actor


def why(reason: str) -> str:
    """A cleaned reason, which every action requires. Raises: Invalid (`reason`)."""
    if not 1 <= len(reason.strip()) <= MOST_WORDS or "\x00" in reason:
        raise Invalid(reason=f"Give a reason of 1 to {MOST_WORDS} characters.")
    return reason.strip()
