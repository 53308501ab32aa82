"""Back into an account without the password: by a recovery code, or by a link that was sent by e-mail.

Keeps the SHA-256 of a link's token. Promises that each works once, that the new password ends every session,
and that asking answers alike whether there is an account or not, in words and in time. Tries are counted like
sign-ins. Refuses with NotSignedIn (wrong, used, or too old), Invalid, NotFound (no mail here), TooMany.
"""

from __future__ import annotations

import hashlib
import secrets

from models import emails, letters, recovery_codes
from models.account_changes import AccountChanges
from models.accounts import Account, Accounts
from models.clock import Clock
from models.config import Config
from models.db import Db, Transaction
from models.errors import NotFound, NotSignedIn
from models.mail import Mail
from models.members import Member
from models.passwords import Passwords
from models.rate_limits import RateLimits
from models.recovery_codes import RecoveryCodes
from models.sessions import SignedIn

WRONG_CODE = "That e-mail and code do not go together, or the code has been used."
DEAD_LINK = "This link has been used, or it is too old. Ask for a new one."


class Recovery:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        config: Config,
        accounts: Accounts,
        changes: AccountChanges,
        passwords: Passwords,
        rate_limits: RateLimits,
        codes: RecoveryCodes,
        mail: Mail,
    ) -> None:
        self._db, self._clock, self._config = db, clock, config
        self._accounts, self._changes = accounts, changes
        self._passwords, self._rate_limits, self._codes, self._mail = passwords, rate_limits, codes, mail
        self._sql = db.statements("accounts")

    @property
    def by_mail(self) -> bool:
        """Whether links can be sent here."""
        return self._mail.is_on

    async def by_code(
        self, typed: str, code: str, password: str, address: str, current: Member | None
    ) -> SignedIn:
        """The new password counts from now on, and this device is signed in."""
        email, plain = emails.read(typed), recovery_codes.plain(code)
        async with self._rate_limits.attempt(email.key, address):
            # Before the look-up: known or not, it takes the time of one hash.
            hashed = await self._passwords.hash(password, email.key)
            async with self._db.transaction() as on:
                found = await self._sql.one("find_by_email", Account, on=on, email_key=email.key)
                if found is None or not await self._codes.use(found.user_id, plain, on=on):
                    raise NotSignedIn(WRONG_CODE)
                ended = await self._changes.put_password(found, hashed, None, on=on)
        self._changes.tell_password(found, ended)
        return await self._enter(found.user_id, current)

    async def send_link(self, typed: str, address: str) -> None:
        """To the address's account, if there is one. Raises NotFound where there is no mail."""
        if not self.by_mail:
            raise NotFound
        email = emails.read(typed)
        await self._rate_limits.ask_link(email.key, address)
        token, minutes = secrets.token_urlsafe(32), self._config.recovery_link_minutes
        to = await self._sql.value(
            "put_link",
            email_key=email.key,
            token_hash=hash_of(token),
            seconds=minutes * 60,
            now=self._clock.frozen,
        )
        if to is not None:
            url = f"{self._config.base_url}/recover?link={token}"
            self._mail.send(to, *letters.recovery_link(url, minutes))

    async def is_link(self, token: str) -> bool:
        """Whether this link can still be used; it is not used by asking."""
        found = await self._sql.value("is_link", token_hash=hash_of(token), now=self._clock.frozen)
        return found is not None

    async def by_link(self, token: str, password: str, address: str, current: Member | None) -> SignedIn:
        """The same as `by_code`."""
        async with self._rate_limits.attempt(None, address):
            hashed = await self._passwords.hash(password)
            async with self._db.transaction() as on:
                account = await self._take(token, on)
                ended = await self._changes.put_password(account, hashed, None, on=on)
        self._changes.tell_password(account, ended)
        return await self._enter(account.user_id, current)

    async def _take(self, token: str, on: Transaction) -> Account:
        values = {"token_hash": hash_of(token), "now": self._clock.frozen}
        user_id = await self._sql.value("take_link", on=on, **values)
        account = await self._sql.one("lock", Account, on=on, user_id=user_id)
        if account is None:
            raise NotSignedIn(DEAD_LINK)
        return account

    async def _enter(self, user_id: str, current: Member | None) -> SignedIn:
        """All sessions of the account have just ended; only a stranger's is left to take leave of."""
        stranger = current if current and current.user_id != user_id else None
        return await self._accounts.enter(await self._accounts.get(user_id), stranger)


def hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
