"""Users that are programs of the operator: the partners of the demo.

They are users like all others, marked by `kind`, with access that was granted without a payment.
"""

from __future__ import annotations

import msgspec

from models.access.grants import Access
from models.clock import Clock
from models.ids import new_id
from models.postgres.database import Db, Transaction
from models.security.member import Gender
from models.security.sessions import Sessions


class Robot(msgspec.Struct, frozen=True):
    """A partner with the token of a new session, for the process that plays it."""

    token: str
    name: str
    gender: Gender
    # Decides the portrait and the voice.
    seed: int


CAST: tuple[tuple[str, Gender], ...] = (
    ("Mira", "female"),
    ("Noah", "male"),
    ("Ines", "female"),
    ("Tomas", "male"),
    ("Robin", "nonbinary"),
    ("Leon", "male"),
    ("Aisha", "female"),
    ("Yuki", "female"),
    ("Samuel", "male"),
    ("Clara", "female"),
    ("Kim", "nonbinary"),
    ("Amir", "male"),
)


class Robots:
    def __init__(self, db: Db, clock: Clock, access: Access, sessions: Sessions) -> None:
        self._db, self._clock = db, clock
        self._access, self._sessions = access, sessions
        self._sql = db.statements("accounts.robots")

    async def seed(self) -> list[Robot]:
        """The partners of the demo, created where they are missing. Their earlier sessions end."""
        robots = []
        for seed, (name, gender) in enumerate(CAST):
            async with self._db.transaction() as on:
                user_id = await self._sql.value("find", on=on, name=name)
                if user_id is None:
                    user_id = await self._create(name, gender, on)
                await self._sessions.end_others(user_id, None, "signed_in_elsewhere", on=on)
                session = await self._sessions.create(user_id, on=on)
            robots.append(Robot(session.token, name, gender, seed))
        return robots

    async def _create(self, name: str, gender: Gender, on: Transaction) -> str:
        user_id = new_id()
        values = {"user_id": user_id, "name": name, "gender": gender, "now": self._clock.frozen}
        await self._sql.run("create", on=on, kind="robot", **values)
        await self._access.lock(user_id, on=on)
        await self._access.grant_locked(user_id, "comp", f"robot-{user_id}", on=on)
        return user_id
