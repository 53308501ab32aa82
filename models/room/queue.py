"""The queue: pages of cards of listed users, the least recently shown first.

Shown means delivered in a page; it counts once per viewer and card in ten minutes. The cursor is opaque. It
contains the instant of the first page, so that later pages do not repeat a card unless its user has left and
come back. The viewer and users with a block or a report between them are never included. Users on cooldown
come last; users to whom the viewer was introduced come first on the first page. A page costs two statements
and one script, regardless of how many users are online.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

import msgspec

from models.clock import Clock
from models.errors import Invalid
from models.messages import Person, instant, media_url
from models.postgres.database import Db
from models.redis import keys
from models.redis.client import Bus
from models.room.introductions import Introductions
from models.security.member import UserKind
from models.settings.config import Config

PAGE = 20
MOST = 50


class Card(msgspec.Struct, frozen=True):
    """A user as the viewer sees them."""

    user_id: str
    name: str
    gender: str
    selfie_url: str | None
    video_url: str | None
    cooldown_until: datetime | None
    introduced_by: Person | None = None
    is_robot: bool = False


class Page(msgspec.Struct, frozen=True):
    """`cursor` continues after this page, also later; `has_more` says whether more cards exist now."""

    cards: list[Card]
    cursor: str
    has_more: bool
    online_users: int


class HiddenAndCooling(msgspec.Struct, frozen=True):
    """Users hidden from the viewer, and users on cooldown with them (the earliest end first)."""

    hidden: list[str]
    cooling: list[str]
    cooling_until: list[datetime]
    # Users to whom the viewer was recently introduced, and whether any were introduced to the viewer.
    introduced: list[str]
    has_newcomers: bool


class CardRow(msgspec.Struct, frozen=True):
    user_id: str
    name: str
    gender: str
    selfie_id: str | None
    video_id: str | None
    kind: UserKind


class Queue:
    def __init__(self, db: Db, bus: Bus, clock: Clock, config: Config, introductions: Introductions) -> None:
        self._config, self._introductions = config, introductions
        self._sql = db.statements("room.queue")
        self._bus = bus
        self._clock = clock

    async def page(self, viewer_id: str, cursor: str | None = None, limit: int = PAGE) -> Page:
        """One page of the queue. Raises: Invalid for a malformed cursor."""
        now = self._clock.now_ms()
        since = now if cursor is None else _read_cursor(cursor)
        days = self._config.introduction_days
        around = await self._sql.one(
            "around", HiddenAndCooling, viewer_id=viewer_id, days=days, now=self._clock.frozen
        )
        assert around is not None
        answer = await self._bus.script(
            "room.queue_page", viewer_id, now, since, int(cursor is None), limit, keys.COUNT_ONCE_MS,
            len(around.hidden), len(around.introduced), *around.hidden, *around.introduced, *around.cooling,
        )  # fmt: skip
        ids = [value.decode() for value in answer[2:]]
        is_introduced = around.introduced or around.has_newcomers
        cooling = dict(zip(around.cooling, around.cooling_until, strict=True))
        introducers = await self._introductions.seen_by(viewer_id) if is_introduced else {}
        return Page(
            cards=await self._cards(ids, cooling, introducers),
            cursor=_cursor(since),
            has_more=bool(answer[0]),
            online_users=answer[1],
        )

    async def _cards(
        self, ids: list[str], cooling: dict[str, datetime], introducers: dict[str, Person]
    ) -> list[Card]:
        rows = (
            {row.user_id: row for row in await self._sql.all("cards", CardRow, user_ids=ids)} if ids else {}
        )
        return [
            Card(
                row.user_id,
                row.name,
                row.gender,
                media_url(row.selfie_id),
                media_url(row.video_id),
                cooling.get(row.user_id),
                introducers.get(row.user_id),
                row.kind != "person",
            )
            for row in (rows[user_id] for user_id in ids if user_id in rows)
        ]


class WireCard(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A card in the JSON contract: person + `cooldownUntil`?, `videoUrl`?, `introducedBy`?."""

    user_id: str
    name: str
    gender: str
    selfie_url: str | None
    cooldown_until: str | msgspec.UnsetType = msgspec.UNSET
    video_url: str | msgspec.UnsetType = msgspec.UNSET
    introduced_by: Person | msgspec.UnsetType = msgspec.UNSET
    is_robot: bool = False


class WirePage(msgspec.Struct, frozen=True, rename="camel"):
    users: list[WireCard]
    next_cursor: str | None
    online_users: int


def wire_page(page: Page) -> WirePage:
    cards = [
        WireCard(
            c.user_id,
            c.name,
            c.gender,
            c.selfie_url,
            instant(c.cooldown_until) if c.cooldown_until else msgspec.UNSET,
            c.video_url or msgspec.UNSET,
            c.introduced_by or msgspec.UNSET,
            c.is_robot,
        )
        for c in page.cards
    ]
    return WirePage(
        users=cards, next_cursor=page.cursor if page.has_more else None, online_users=page.online_users
    )


def _cursor(since: int) -> str:
    return base64.urlsafe_b64encode(f"q1:{since}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> int:
    try:
        version, _, since = base64.urlsafe_b64decode(cursor[:64] + "==").decode().partition(":")
        if version != "q1" or not since.isdigit():
            raise ValueError
        return int(since)
    except (ValueError, binascii.Error) as error:
        raise Invalid(cursor="This cursor is not one of ours. Start again without it.") from error
