"""The site's secret: SECRET_KEY, else one made once and kept in PostgreSQL, the same in every process.

Gives keys derived from it, one for each purpose (HMAC-SHA256, RFC 2104), never the secret itself.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from models.postgres.database import Db
from models.settings.config import Config


class SiteSecret:
    def __init__(self, db: Db, config: Config) -> None:
        self._config = config
        self._sql = db.statements("security.site_secret")
        self._kept: str | None = None

    async def digest(self, purpose: str, text: str) -> bytes:
        """32 bytes that nobody can work out who does not know the secret; `purpose` keeps uses apart."""
        site = self._config.secret_key or await self._read()
        key = hmac.digest(site.encode(), purpose.encode(), hashlib.sha256)
        return hmac.digest(key, text.encode(), hashlib.sha256)

    async def _read(self) -> str:
        """Asked for once a process, unless it was forgotten."""
        if self._kept is None:
            await self._sql.run("keep", value=secrets.token_urlsafe(32))
            self._kept = str(await self._sql.value("read"))
        return self._kept

    async def forget(self) -> None:
        """The database may be another one now."""
        self._kept = None
