"""The site's secret: SECRET_KEY, or a generated one in PostgreSQL, the same in every process.

It is used only through derived keys, one for each purpose (HMAC-SHA256, RFC 2104).
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
        """A keyed digest of 32 bytes. Each `purpose` has its own key."""
        site = self._config.secret_key or await self._read()
        key = hmac.digest(site.encode(), purpose.encode(), hashlib.sha256)
        return hmac.digest(key, text.encode(), hashlib.sha256)

    async def _read(self) -> str:
        """Reads the generated secret once per process, and creates it if missing."""
        if self._kept is None:
            await self._sql.run("keep", value=secrets.token_urlsafe(32))
            self._kept = str(await self._sql.value("read"))
        return self._kept

    async def forget(self) -> None:
        """Drops the cached secret, because the database may be a different one now."""
        self._kept = None
