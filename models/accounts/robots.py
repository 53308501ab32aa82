"""Users that are programs of the operator: the partners of the demo, and the callers of the doctor.

They are users like all others, marked by `kind`, with access granted without a payment. The queue lists no
caller of the doctor, and all their rows are deleted after the call.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from models.access.grants import Grants
from models.clock import Clock
from models.ids import new_id
from models.postgres.database import Db, Transaction
from models.security.member import Gender, UserKind
from models.security.sessions import Sessions
from models.settings.config import Config

# A run of the doctor takes less.
OLD_MINUTES = 10


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


class Probe(msgspec.Struct, frozen=True):
    """A caller of the doctor."""

    user_id: str
    token: str


def plan_of(config: Config, callers: Sequence[Probe]) -> dict[str, object]:
    """What the process of the call must know."""
    return {
        "url": config.base_url,
        "tokens": [one.token for one in callers],
        "user_ids": [one.user_id for one in callers],
        "relayOnly": config.relay_only,
    }


class Left(msgspec.Struct, frozen=True):
    user_id: str


class Robots:
    def __init__(self, db: Db, clock: Clock, grants: Grants, sessions: Sessions) -> None:
        self._db, self._clock = db, clock
        self._grants, self._sessions = grants, sessions
        self._sql = db.statements("accounts.robots")

    async def seed(self) -> list[Robot]:
        """The partners of the demo, created where they are missing. Their earlier sessions end."""
        robots = []
        for seed, (name, gender) in enumerate(CAST):
            async with self._db.transaction() as on:
                user_id = await self._sql.value("find", on=on, name=name)
                if user_id is None:
                    user_id = await self._create("robot", name, gender, on)
                await self._sessions.end_others(user_id, None, "signed_in_elsewhere", on=on)
                session = await self._sessions.create(user_id, on=on)
            robots.append(Robot(session.token, name, gender, seed))
        return robots

    async def probes(self) -> tuple[Probe, Probe]:
        """Two new callers; those that an interrupted run has left are deleted first."""
        await self.remove_probes()
        return await self._probe(), await self._probe()

    async def _probe(self) -> Probe:
        async with self._db.transaction() as on:
            user_id = await self._create("probe", "Doctor", "unspecified", on)
            session = await self._sessions.create(user_id, on=on)
        return Probe(user_id, session.token)

    async def remove_probes(self, user_ids: Sequence[str] = ()) -> None:
        """Deletes these callers, and older ones that are in no call, with everything that refers to them."""
        async with self._db.transaction() as on:
            old = await self._sql.all("old_probes", Left, on=on, minutes=OLD_MINUTES)
            gone = [*user_ids, *(one.user_id for one in old)]
            await self._sql.run("remove_probes", on=on, user_ids=gone)

    async def _create(self, kind: UserKind, name: str, gender: Gender, on: Transaction) -> str:
        user_id = new_id()
        values = {"user_id": user_id, "name": name, "gender": gender, "now": self._clock.frozen}
        await self._sql.run("create", on=on, kind=kind, **values)
        await self._grants.lock(user_id, on=on)
        await self._grants.grant_locked(user_id, "comp", f"{kind}-{user_id}", on=on)
        return user_id
