"""The audit log: who of the staff did what to whom, why and when.

Keeps rows that are only ever added (triggers refuse anything else), each with a SHA-256 over the one before
and its own words. Promises that a row is written in the transaction of what it tells: both are there, or
neither. `verify` says where the chain breaks; rows cut off at its end show only against a hash noted
elsewhere. Keeps ids, never a member's name, a secret, or what a member wrote.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import msgspec

from models.clock import Clock
from models.db import Db, Transaction
from models.errors import Invalid

OPERATOR = "operator"
MOST_WORDS = 500
PAGE = 100
STRIDE = 1000
NEWEST = 2**62
FIRST = "00" * 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Entry(msgspec.Struct, frozen=True):
    """As the page shows it."""

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
        """What it is about: `user`, `report`, `staff`, `code`, `payment`."""
        return self.target.partition(" ")[0]

    @property
    def target_id(self) -> str:
        return self.target.partition(" ")[2]


class Link(msgspec.Struct, frozen=True):
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
    """How many rows hold; `broken` is the first that does not, `head` the hash of the last one that does."""

    rows: int
    head: str
    broken: int | None


class Audit:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._db, self._clock = db, clock
        self._sql = db.statements("audit")

    async def write(self, actor: str, action: str, target: str, reason: str = "", *, on: Transaction) -> None:
        """The last step of a transaction: until it commits, everybody else who acts waits.

        Whatever is locked after it could be held by one of those who wait.
        """
        values = {"actor": actor, "action": action, "target": target, "now": self._clock.frozen}
        await self._sql.run("write", on=on, reason=reason.strip()[:MOST_WORDS], **values)

    async def note(self, actor: str, action: str, target: str, reason: str = "") -> None:
        """For what changes nothing else: something was looked at."""
        async with self._db.transaction() as on:
            await self.write(actor, action, target, reason, on=on)

    async def page(self, before: int | None = None) -> list[Entry]:
        """The newest first, from before a number on."""
        return await self._sql.all("page", Entry, before=before or NEWEST, most=PAGE)

    async def verify(self) -> Verified:
        """Every row, by this process's own arithmetic."""
        seen, head = 0, FIRST
        while links := await self._sql.all("chain", Link, after=seen, most=STRIDE):
            for link in links:
                if not follows(link, seen, head):
                    return Verified(rows=seen, head=head, broken=seen + 1)
                seen, head = link.seq, link.hash
        return Verified(rows=seen, head=head, broken=None)


def follows(link: Link, seq: int, head: str) -> bool:
    """Whether a row is the next one of the chain, and says what it said."""
    own = hashlib.sha256(bytes.fromhex(link.previous) + written(link)).hexdigest()
    return link.seq == seq + 1 and link.previous == head and link.hash == own


def written(link: Link) -> bytes:
    """The row as `audit_row` in the schema writes it."""
    micros = (link.at - _EPOCH) // timedelta(microseconds=1)
    fields = [str(link.seq), str(micros), link.actor, link.action, link.target, link.reason]
    return ",".join(f"{len(field.encode())}:{field}" for field in fields).encode()


def why(reason: str) -> str:
    """What the staff must say about everything they do. Raises Invalid (`reason`)."""
    if not 1 <= len(reason.strip()) <= MOST_WORDS or "\x00" in reason:
        raise Invalid(reason=f"Say why, in 1 to {MOST_WORDS} characters.")
    return reason.strip()
