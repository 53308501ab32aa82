"""The site's secret: one random key for all processes, in PostgreSQL, encrypted with SECRET_KEY.

Marks of addresses, second factors and links of appeals are made with keys derived from it, one for each
purpose (HMAC-SHA256, RFC 2104). SECRET_KEY only encrypts it (Fernet): it can be replaced, and every mark
stays valid. SECRET_KEY_PREVIOUS opens what `rotate` has not encrypted again yet. Without SECRET_KEY the
secret is in PostgreSQL in plain text.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Literal

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from models.errors import Conflict
from models.postgres.database import Db
from models.security.audit_log import Audit
from models.settings.config import Config

LOST = "If it is lost, python server.py secret replace makes a new secret (see docs/operations.md)."
NEEDED = f"SECRET_KEY is needed: the site's secret in this database is encrypted with one. {LOST}"
WRONG = (
    "SECRET_KEY does not open the site's secret in this database. Set SECRET_KEY_PREVIOUS to the key that "
    f"was used before. {LOST}"
)


class WrongSecretKey(Exception):
    """Explains itself to the operator."""


class _Stored(msgspec.Struct, frozen=True):
    """`site`: in plain text. `sealed`: encrypted. `adopt`: from before it was; SECRET_KEY itself was used."""

    name: Literal["site", "sealed", "adopt"]
    value: str


class SiteSecret:
    def __init__(self, db: Db, config: Config, audit: Audit) -> None:
        self._db, self._audit = db, audit
        self._sql = db.statements("security.site_secret")
        self._key = config.secret_key
        # The first one encrypts.
        keys = [_fernet(key) for key in (config.secret_key, *config.secret_key_previous) if key]
        self._lock = MultiFernet(keys) if self._key else None
        self._newest = keys[0] if self._key else None
        self._kept: str | None = None

    async def digest(self, purpose: str, text: str) -> bytes:
        """A keyed digest of 32 bytes. Each `purpose` has its own key."""
        site = await self.open()
        key = hmac.digest(site.encode(), purpose.encode(), hashlib.sha256)
        return hmac.digest(key, text.encode(), hashlib.sha256)

    async def open(self) -> str:
        """The secret, read once per process and created if missing. Raises: WrongSecretKey."""
        if self._kept is None:
            self._kept = await (self._plain() if self._lock is None else self._sealed(self._lock))
        return self._kept

    async def _plain(self) -> str:
        stored = await self._stored()
        if "sealed" in stored:
            raise WrongSecretKey(NEEDED)
        if "site" not in stored:
            await self._sql.run("keep", value=secrets.token_urlsafe(32))
            stored = await self._stored()
        return stored["site"]

    async def _sealed(self, lock: MultiFernet) -> str:
        stored = await self._stored()
        if "sealed" not in stored:
            old = str(self._key) if "adopt" in stored else stored.get("site")
            secret = old or secrets.token_urlsafe(32)
            await self._sql.run("seal", value=lock.encrypt(secret.encode()).decode())
            stored = await self._stored()
        try:
            return lock.decrypt(stored["sealed"]).decode()
        except InvalidToken as error:
            raise WrongSecretKey(WRONG) from error

    async def rotate(self, actor: str) -> bool:
        """Encrypts the secret with SECRET_KEY, if it was encrypted with a previous one. False: it was not.

        Raises: Conflict (without SECRET_KEY), WrongSecretKey.
        """
        await self.open()
        if self._lock is None or self._newest is None:
            raise Conflict("SECRET_KEY is not set: there is nothing to encrypt with.")
        sealed = (await self._stored())["sealed"]
        if _opens(self._newest, sealed):
            return False
        async with self._db.transaction() as on:
            values = {"before": sealed, "value": self._lock.rotate(sealed).decode()}
            await self._sql.run("seal_again", on=on, **values)
            await self._audit.write(actor, "secret.rotate", "site", "", on=on)
        return True

    async def replace(self, actor: str) -> None:
        """Makes a new secret, and deletes all marks made with the old one: after it has leaked, or if it
        cannot be opened. Staff need new second factors, links of appeals change.
        """
        secret = secrets.token_urlsafe(32)
        sealed = self._newest.encrypt(secret.encode()).decode() if self._newest else None
        async with self._db.transaction() as on:
            await self._sql.run("replace", on=on, plain=None if sealed else secret, sealed=sealed)
            await self._audit.write(actor, "secret.replace", "site", "", on=on)
        await self.forget()

    async def _stored(self) -> dict[str, str]:
        return {row.name: row.value for row in await self._sql.all("read", _Stored)}

    async def forget(self) -> None:
        """Drops the cached secret, because the database may be a different one now."""
        self._kept = None


def _fernet(key: str) -> Fernet:
    derived = hmac.digest(key.encode(), b"site secret", hashlib.sha256)
    return Fernet(base64.urlsafe_b64encode(derived))


def _opens(key: Fernet, sealed: str) -> bool:
    try:
        key.decrypt(sealed)
    except InvalidToken:
        return False
    return True
