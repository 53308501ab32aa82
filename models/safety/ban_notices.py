"""Ban notices: the rule, the reason, the duration, and how to appeal.

A notice is the same as a socket message, an error and a page. The appeal token is derived from the ban's id
and the site's secret, so it is always the same; only its hash is stored.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Literal

import msgspec

from models.clock import Clock
from models.errors import Banned
from models.messages import BanMessage, instant
from models.postgres.database import Db
from models.security.site_secret import SiteSecret
from models.security.tokens import hash_of

BanKind = Literal["temporary", "permanent"]
PURPOSE = "appeal"


class ActiveBan(msgspec.Struct, frozen=True):
    """An active ban. `until_at` is None for a permanent ban, or until a moderator decides."""

    ban_id: str
    user_id: str
    kind: BanKind
    rule: str
    reason: str
    until_at: datetime | None
    # Decided by the weight of reports alone.
    is_automatic: bool


class BanNotice(msgspec.Struct, frozen=True):
    """A ban with its appeal URL."""

    ban: ActiveBan
    appeal_url: str

    @property
    def message(self) -> BanMessage:
        until = instant(self.ban.until_at) if self.ban.until_at else None
        return BanMessage(rule=self.ban.rule, reason=self.ban.reason, until=until, appeal_url=self.appeal_url)

    @property
    def refusal(self) -> Banned:
        """The error 403 `banned`; `fields` holds what the socket message `ban` holds."""
        message = self.message
        fields = {"rule": message.rule, "reason": message.reason, "appealUrl": message.appeal_url}
        if message.until:
            fields["until"] = message.until
        return Banned(f"You are banned. {message.reason}", fields=fields, notice=self)


class BanNotices:
    def __init__(self, db: Db, clock: Clock, secret: SiteSecret) -> None:
        self._clock, self._secret = clock, secret
        self._sql = db.statements("safety.ban_notices")

    async def find(self, user_id: str) -> BanNotice | None:
        """The notice of the active ban, or None."""
        ban = await self._sql.one("standing", ActiveBan, user_id=user_id, now=self._clock.frozen)
        return None if ban is None else await self.notice(ban)

    async def refusal(self, user_id: str) -> Banned:
        notice = await self.find(user_id)
        return Banned() if notice is None else notice.refusal

    async def recent(self, since: datetime) -> list[BanNotice]:
        bans = await self._sql.all("recent", ActiveBan, since=since, now=self._clock.frozen)
        return [await self.notice(ban) for ban in bans]

    async def notice(self, ban: ActiveBan) -> BanNotice:
        return BanNotice(ban, f"/appeal?token={await self.token(ban.ban_id)}")

    async def token(self, ban_id: str) -> str:
        return base64.urlsafe_b64encode((await self._secret.digest(PURPOSE, ban_id))[:24]).decode()

    async def renew_links(self) -> None:
        """Stores the hashes of the tokens again, after the site's secret has been replaced."""
        for ban_id in await self._sql.all("with_links", str):
            await self._sql.run("renew_link", ban_id=ban_id, appeal_hash=await self.token_hash(ban_id))

    async def token_hash(self, ban_id: str) -> bytes:
        return hash_of(await self.token(ban_id))
