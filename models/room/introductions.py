"""Introductions: a user gives a friend a link to a third person, and the two are introduced to each other.

There is one link per introducer and person (128 random bits, valid for `introduction_days`). Two users are
introduced once. For `introduction_days`, the newcomer sees the other user first in the room, and both see who
introduced them. Links are invalid (NotFound) once they have expired, or if the introducer or the person is
deleted or banned, or if the introducer has blocked the person. If the person has blocked the introducer, the
introducer does not notice: links work, but introduce no one.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime

import msgspec

from models.clock import Clock
from models.errors import Conflict, NotFound
from models.ids import is_id
from models.messages import Person, media_url
from models.postgres.database import Db, Transaction
from models.settings.config import Config

# The form of `secrets.token_urlsafe(16)`; other texts are not looked up (NUL is an error in PostgreSQL).
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
GONE = "This introduction is over. Ask your friend for a new link."


class IntroductionLink(msgspec.Struct, frozen=True):
    token: str
    expires_at: datetime


class Introduction(msgspec.Struct, frozen=True):
    """The introducer and the person of a link."""

    introducer_id: str
    introducer_name: str
    person_id: str
    person_name: str


class _IntroductionRow(msgspec.Struct, frozen=True):
    other_id: str
    user_id: str
    name: str
    gender: str
    selfie_id: str | None


class Introductions:
    def __init__(self, db: Db, clock: Clock, config: Config) -> None:
        self._sql = db.statements("room.introductions")
        self._clock, self._config = clock, config

    async def make_link(self, introducer_id: str, person_id: str) -> IntroductionLink:
        """Raises: NotFound (no such user, the introducer, or a user whom the introducer does not see)."""
        if not is_id(person_id):
            raise NotFound
        link = await self._sql.one(
            "make_link",
            IntroductionLink,
            introducer_id=introducer_id,
            person_id=person_id,
            token=secrets.token_urlsafe(16),
            days=self._config.introduction_days,
            now=self._clock.frozen,
        )
        if link is None:
            raise NotFound
        return link

    async def find_link(self, introducer_id: str, person_id: str) -> IntroductionLink | None:
        """The existing link, if it has not expired."""
        if not is_id(person_id):
            return None
        now = self._clock.frozen
        return await self._sql.one(
            "find_link", IntroductionLink, introducer_id=introducer_id, person_id=person_id, now=now
        )

    async def find(self, token: str, *, on: Transaction | None = None) -> Introduction | None:
        """The link's users. None if it is unknown, expired or no longer valid."""
        if not _TOKEN.fullmatch(token):
            return None
        return await self._sql.one("find", Introduction, on=on, token=token, now=self._clock.frozen)

    async def accept(self, token: str, newcomer_id: str, *, on: Transaction | None = None) -> Introduction:
        """Introduces the two users; repeating it changes nothing.

        Raises: NotFound, Conflict (the member's own link, or a link to the member).
        """
        found = await self.find(token, on=on)
        if found is None:
            raise NotFound(GONE)
        if newcomer_id in (found.introducer_id, found.person_id):
            raise Conflict("This link is for a friend: hand it on.")
        await self._sql.run("make", on=on, token=token, newcomer_id=newcomer_id, now=self._clock.frozen)
        return found

    async def seen_by(self, viewer_id: str) -> dict[str, Person]:
        """Recent introductions of the viewer: the other user's id -> the introducer."""
        rows = await self._sql.all(
            "seen_by",
            _IntroductionRow,
            viewer_id=viewer_id,
            days=self._config.introduction_days,
            now=self._clock.frozen,
        )
        return {
            row.other_id: Person(
                user_id=row.user_id, name=row.name, gender=row.gender, selfie_url=media_url(row.selfie_id)
            )
            for row in rows
        }
