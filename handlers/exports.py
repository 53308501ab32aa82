"""One's own data, to take away."""

from __future__ import annotations

import contextlib

from tornado.iostream import StreamClosedError

from handlers.base import BaseHandler
from models.media import CHUNK


class ExportHandler(BaseHandler):
    """POST /settings/export: a ZIP, sent as fast as it is taken; who leaves half way is no fault."""

    async def post(self) -> None:
        member = self.allowed(access=False, selfie=False)
        async with self.models.exports.open(member.user_id) as file:
            self._describe()
            with contextlib.suppress(StreamClosedError):
                while chunk := file.read(CHUNK):
                    self.write(chunk)
                    await self.flush()

    def _describe(self) -> None:
        self.set_header("Content-Type", "application/zip")
        self.set_header("Content-Disposition", 'attachment; filename="napalm-sky-my-data.zip"')
        self.set_header("Cache-Control", "no-store")
