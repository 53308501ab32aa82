"""A user's own data as a ZIP: `data.json`, their media files, and a README.

The file is unnamed and deleted when it is closed. It holds everything that is stored about the user (a test
compares it with the schema), of other users only the names in the call history, and no token or hash. At most
two archives are made at a time, completely before anything is sent, so a slow reader blocks no other export.
At most one chunk of a video is in memory. Of reports about the user it has what was decided, and nothing that
identifies the reporter. Raises: TooMany (more than one an hour), Unavailable (two are being
made). The content is described in docs/protocol.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import msgspec

from models.clock import Clock
from models.errors import NotFound, TooMany, Unavailable, file_problem
from models.ids import is_id
from models.postgres.database import Db
from models.profiles.media import CHUNK, Media
from models.profiles.uploads import unnamed_file
from models.security.audit_log import Audit
from models.security.rate_limits import RateLimits
from models.settings.config import Config

ExportRow = dict[str, Any]
SCHEMA = 1
AT_ONCE = 2
RETRY_SECONDS = 10
ONCE_AN_HOUR = "You can download your data once an hour."
README = """Your data, as this site keeps it.

data.json    everything but pictures and videos; times are UTC. The site's documentation names each field.
media/       your selfie and your intro video, as others see them.

Of other people it contains only the names in your call history.
"""


class Exports:
    def __init__(
        self, db: Db, clock: Clock, config: Config, media: Media, rate_limits: RateLimits, audit: Audit
    ) -> None:
        self._db, self._clock, self._config, self._audit = db, clock, config, audit
        self._media, self._rate_limits = media, rate_limits
        self._sql = db.statements("accounts.exports")
        self._making = 0

    @asynccontextmanager
    async def open(self, user_id: str) -> AsyncIterator[IO[bytes]]:
        """The complete ZIP, positioned at its start. A failed export does not count; an unread one does."""
        try:
            async with self._rate_limits.export(user_id), self._made(user_id) as file:
                yield file
        except TooMany as problem:
            raise TooMany(ONCE_AN_HOUR, retry_after=problem.retry_after) from problem

    @asynccontextmanager
    async def open_for(self, person: str, actor: str) -> AsyncIterator[IO[bytes]]:
        """The same for the operator, without a limit. `person`: an id, an e-mail address, or the id of a
        payment. Raises: NotFound, Unavailable.
        """
        user_id = await self._sql.value("named", person=person, user_id=person if is_id(person) else None)
        if user_id is None:
            raise NotFound(
                "There is no such user: give an id, an e-mail address, or the number of a payment."
            )
        async with self._made(user_id) as file:
            async with self._db.transaction() as on:
                await self._audit.write(actor, "person.export", f"user {user_id}", "", on=on)
            yield file

    @asynccontextmanager
    async def _made(self, user_id: str) -> AsyncIterator[IO[bytes]]:
        with unnamed_file(self._config.data_dir) as file:
            with self._place():
                await self._fill_or_report(file, user_id)
            file.seek(0)
            yield file

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Reserves one of the places. Raises: Unavailable."""
        if self._making >= AT_ONCE:
            raise Unavailable(
                "Other downloads are being prepared right now. Try again in a moment.",
                retry_after=RETRY_SECONDS,
            )
        self._making += 1
        try:
            yield
        finally:
            self._making -= 1

    async def _fill_or_report(self, file: IO[bytes], user_id: str) -> None:
        try:
            await self._fill(file, user_id)
        except OSError as error:
            raise file_problem(error) from error

    async def _fill(self, file: IO[bytes], user_id: str) -> None:
        data = await self.data(user_id)
        with ZipFile(file, "w") as archive:
            archive.writestr("README.txt", README)
            await asyncio.to_thread(_write_json, archive, data)
            for media in data["media"]:
                await self._add(archive, media["file"], str(media["mediaId"]), user_id)

    async def _add(self, archive: ZipFile, name: str, media_id: str, user_id: str) -> None:
        """Stored uncompressed: pictures and videos are compressed already."""
        found = await self._media.find(media_id, user_id)
        if found is None:
            return
        with archive.open(ZipInfo(name), "w") as entry:
            for first in range(0, found.byte_size, CHUNK):
                chunk = await self._media.read(found, first, first + CHUNK - 1)
                await asyncio.to_thread(entry.write, chunk)

    async def data(self, user_id: str) -> dict[str, Any]:
        """The content of `data.json`. Raises: NotFound."""
        profile = await self._sql.all("profile", ExportRow, user_id=user_id)
        if not profile:
            raise NotFound
        about = {"schema": SCHEMA, "madeAt": self._clock.now(), "profile": profile[0]}
        return (
            about | await self._entry(user_id) | await self._meetings(user_id) | await self._conduct(user_id)
        )

    async def _entry(self, user_id: str) -> dict[str, list[ExportRow]]:
        """Account, sessions, access, payments, codes and media."""
        media = await self._sql.all("media", ExportRow, user_id=user_id)
        for one in media:
            one["file"] = f"media/{one['mediaId']}.{str(one['contentType']).rpartition('/')[2]}"
        return {
            "account": await self._sql.all("account", ExportRow, user_id=user_id),
            "sessions": await self._sql.all("sessions", ExportRow, user_id=user_id),
            "access": await self._sql.all("access", ExportRow, user_id=user_id),
            "terms": await self._sql.all("terms", ExportRow, user_id=user_id),
            "ageProof": await self._sql.all("age_proof", ExportRow, user_id=user_id),
            "payments": await self._sql.all("payments", ExportRow, user_id=user_id),
            "codes": await self._sql.all("code", ExportRow, user_id=user_id),
            "codesUsed": await self._sql.all("code_used", ExportRow, user_id=user_id),
            "media": media,
            "addresses": await self._sql.all("addresses", ExportRow, user_id=user_id),
        }

    async def _meetings(self, user_id: str) -> dict[str, list[ExportRow]]:
        return {
            "calls": await self._sql.all("calls", ExportRow, user_id=user_id),
            "messages": await self._sql.all("messages", ExportRow, user_id=user_id),
            "contacts": await self._sql.all("contacts", ExportRow, user_id=user_id),
            "rings": await self._sql.all("rings", ExportRow, user_id=user_id),
            "cooldowns": await self._sql.all("cooldowns", ExportRow, user_id=user_id),
            "introductions": await self._sql.all("introductions", ExportRow, user_id=user_id),
            "introductionLinks": await self._sql.all("introduction_links", ExportRow, user_id=user_id),
        }

    async def _conduct(self, user_id: str) -> dict[str, list[ExportRow]]:
        return {
            "reports": await self._sql.all("reports", ExportRow, user_id=user_id),
            "reportsAbout": await self._about(user_id),
            "bans": await self._sql.all("bans", ExportRow, user_id=user_id),
            "removals": await self._sql.all("removals", ExportRow, user_id=user_id),
            "blocks": await self._sql.all("blocks", ExportRow, user_id=user_id),
        }

    async def _about(self, user_id: str) -> list[ExportRow]:
        """What others reported about the user. The reporter's words only with EXPORT_REPORT_TEXTS."""
        with_texts = self._config.export_report_texts
        return await self._sql.all("reports_about", ExportRow, user_id=user_id, with_texts=with_texts)


def _write_json(archive: ZipFile, data: dict[str, Any]) -> None:
    """Blocking, and possibly long."""
    text = msgspec.json.format(msgspec.json.encode(data), indent=2)
    archive.writestr("data.json", text, ZIP_DEFLATED)
