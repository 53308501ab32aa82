"""Changes of password, e-mail and recovery codes by the holder of an account.

Each requires the current password; a wrong one counts as a failed sign-in. A new password ends the account's
other sessions. Changes of password and e-mail are announced by e-mail to the previous address.
Raises: NotAllowed (`currentPassword`), Conflict (address taken, or a guest), Invalid, TooMany.
"""

from __future__ import annotations

import contextlib

from models.accounts import email_texts
from models.accounts.accounts import TAKEN, Account, Accounts
from models.accounts.email_texts import EmailText
from models.accounts.recovery_codes import RecoveryCodes
from models.clock import Clock
from models.errors import Conflict, NotAllowed, NotSignedIn, TooMany, Unavailable
from models.mail import email_address
from models.mail.email_address import Email
from models.mail.mailer import Mailer
from models.postgres.database import Db, Transaction, UniqueViolation
from models.security.member import Member
from models.security.passwords import Passwords
from models.security.rate_limits import RateLimits
from models.security.sessions import EndedSession, Sessions
from models.settings.config import Config

WRONG_PASSWORD = "That is not your password."
CHANGED = "password_changed"


class Credentials:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        config: Config,
        accounts: Accounts,
        sessions: Sessions,
        passwords: Passwords,
        rate_limits: RateLimits,
        recovery_codes: RecoveryCodes,
        mail: Mailer,
    ) -> None:
        self._db, self._clock, self._config = db, clock, config
        self._accounts, self._sessions, self._mail = accounts, sessions, mail
        self._passwords, self._rate_limits, self._codes = passwords, rate_limits, recovery_codes
        self._sql = db.statements("accounts.accounts")

    async def password(self, member: Member, current: str, password: str, address: str) -> None:
        """Sets a new password and ends the account's other sessions."""
        account = await self._accounts.get(member.user_id)
        await self.confirm(account, current, address)
        hashed = await self._passwords.hash(password, account.email, member.name, address=address)
        async with self._db.transaction() as on:
            await self._check_unchanged(account, on)
            ended = await self.put_password(account, hashed, member.session_id, on=on)
        await self.notify_password_changed(account, ended, address)

    async def put_password(
        self, account: Account, hashed: str, kept: str | None, *, on: Transaction
    ) -> list[EndedSession]:
        """Ends every session but `kept` and deletes the recovery link. Call `notify_password_changed` after
        the commit.
        """
        values = {"user_id": account.user_id, "password_hash": hashed, "now": self._clock.frozen}
        await self._sql.run("set_password", on=on, **values)
        await self._sql.run("drop_link", on=on, user_id=account.user_id)
        return await self._sessions.end_others(account.user_id, kept, CHANGED, on=on)

    async def notify_password_changed(
        self, account: Account, ended: list[EndedSession], address: str, *, has_codes: bool = True
    ) -> None:
        self._sessions.publish(ended)
        base_url = self._config.base_url
        await self._notify(account, email_texts.password_changed(base_url, has_codes=has_codes), address)

    async def _notify(self, account: Account, text: EmailText, address: str) -> None:
        """A few times an hour: the mailbox may be that of someone else, who is not to be flooded."""
        if not self._mail.is_on:
            return
        # What it is about has happened already, so a limit that cannot be counted does not fail the request.
        with contextlib.suppress(TooMany, Unavailable):
            await self._rate_limits.account_mail(account.email_key, address)
            self._mail.send(account.email, *text)

    async def email(self, member: Member, current: str, typed: str, address: str) -> None:
        email = email_address.read(typed)
        account = await self._accounts.get(member.user_id)
        await self.confirm(account, current, address)
        async with self._rate_limits.attempt(None, address), self._db.transaction() as on:
            await self._check_unchanged(account, on)
            await self._put_email(account, email, on)
        if email.key != account.email_key:
            await self._notify(account, email_texts.email_changed(self._config.base_url), address)

    async def recovery_codes(self, member: Member, current: str, address: str) -> list[str]:
        """Returns a new set; the old codes no longer work."""
        account = await self._accounts.get(member.user_id)
        await self.confirm(account, current, address)
        async with self._db.transaction() as on:
            await self._check_unchanged(account, on)
            return await self._codes.renew(member.user_id, on=on)

    async def confirm(self, account: Account, password: str, address: str) -> None:
        """Checks the current password. Raises: NotAllowed (`currentPassword`), TooMany."""
        try:
            async with self._rate_limits.attempt(account.email_key, address):
                if not await self._passwords.matches(password, account.password_hash, address):
                    raise NotSignedIn
        except NotSignedIn as wrong:
            raise NotAllowed(WRONG_PASSWORD, fields={"currentPassword": WRONG_PASSWORD}) from wrong

    async def _check_unchanged(self, account: Account, on: Transaction) -> None:
        """Raises: Conflict if the account has changed since the password was checked."""
        if await self._sql.one("lock", Account, on=on, user_id=account.user_id) != account:
            raise Conflict("Your account was changed elsewhere just now. Reload the page and try again.")

    async def _put_email(self, account: Account, email: Email, on: Transaction) -> None:
        await self._accounts.check_free(email.key, on=on)
        values = {"user_id": account.user_id, "email": email.text, "email_key": email.key}
        try:
            await self._sql.run("set_email", on=on, **values)
            await self._sql.run("drop_link", on=on, user_id=account.user_id)
        except UniqueViolation as error:
            raise Conflict(TAKEN, fields={"email": TAKEN}) from error
