"""What a banned person is told: the rule, the reason in words, how long, and the way to appeal.

Keeps nothing. Promises the same words as a socket's message, as an error and on a page, and the same appeal
token however often it is asked for: it is worked out from the ban's id and the site's secret, and only its
hash is kept.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from typing import Literal

import msgspec

from models.clock import Clock
from models.db import Db
from models.errors import Banned
from models.messages import BanTold, instant
from models.site_secret import SiteSecret

Kind = Literal["temporary", "permanent"]
PURPOSE = "appeal"


class StandingBan(msgspec.Struct, frozen=True):
    """`until_at` is None for good (permanent), or until a moderator has looked (temporary)."""

    ban_id: str
    user_id: str
    kind: Kind
    rule: str
    reason: str
    until_at: datetime | None


class Notice(msgspec.Struct, frozen=True):
    """A ban with the way to appeal."""

    ban: StandingBan
    appeal_url: str

    @property
    def told(self) -> BanTold:
        until = instant(self.ban.until_at) if self.ban.until_at else None
        return BanTold(rule=self.ban.rule, reason=self.ban.reason, until=until, appeal_url=self.appeal_url)

    @property
    def refusal(self) -> Banned:
        """403 `banned`; `fields` carries what `ban` does on a socket."""
        told = self.told
        fields = {"rule": told.rule, "reason": told.reason, "appealUrl": told.appeal_url}
        if told.until:
            fields["until"] = told.until
        return Banned(f"You are banned. {told.reason}", fields=fields, notice=self)


class BanNotices:
    def __init__(self, db: Db, clock: Clock, secret: SiteSecret) -> None:
        self._clock, self._secret = clock, secret
        self._sql = db.statements("ban_notices")

    async def find(self, user_id: str) -> Notice | None:
        """None: no ban stands."""
        ban = await self._sql.one("standing", StandingBan, user_id=user_id, now=self._clock.frozen)
        return None if ban is None else await self.notice(ban)

    async def refusal(self, user_id: str) -> Banned:
        notice = await self.find(user_id)
        return Banned() if notice is None else notice.refusal

    async def recent(self, since: datetime) -> list[Notice]:
        bans = await self._sql.all("recent", StandingBan, since=since, now=self._clock.frozen)
        return [await self.notice(ban) for ban in bans]

    async def notice(self, ban: StandingBan) -> Notice:
        return Notice(ban, f"/appeal?token={await self.token(ban.ban_id)}")

    async def token(self, ban_id: str) -> str:
        return base64.urlsafe_b64encode((await self._secret.digest(PURPOSE, ban_id))[:24]).decode()

    async def token_hash(self, ban_id: str) -> bytes:
        return hash_of(await self.token(ban_id))


def hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
