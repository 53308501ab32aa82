"""Account recovery: a new password by a recovery code, or by a link sent by e-mail.

Each works once, and the new password ends every session. Links go to confirmed addresses only
(`models.accounts.confirmations`); a guest who has paid gets one at the address of the receipt. Requesting a
link and trying a code do the same work whether there is an account or not. Wrong codes and links are counted
like failed sign-ins; a valid link is accepted regardless of the failures of its address. Raises: NotSignedIn
(wrong, used, or expired), Invalid, NotFound (no mail server), Conflict (the address is taken by now),
TooMany, Unavailable.
"""

from __future__ import annotations

import msgspec

from models.accounts import recovery_codes
from models.accounts.accounts import Account, Accounts
from models.accounts.credentials import Credentials
from models.accounts.recovery_codes import RecoveryCodes
from models.accounts.recovery_links import RecoveryLinks
from models.clock import Clock
from models.errors import NotFound, NotSignedIn
from models.ids import NO_ID
from models.mail import email_address
from models.mail.mailer import Mailer
from models.postgres.database import Db, Transaction
from models.security.member import Member
from models.security.passwords import Passwords
from models.security.rate_limits import RateLimits
from models.security.sessions import SignedIn
from models.security.tokens import hash_of
from models.settings.config import Config

WRONG_CODE = "That e-mail and code do not go together, or the code has been used."
DEAD_LINK = "This link has been used, or it is too old. Ask for a new one."


class ReceiptEmail(msgspec.Struct, frozen=True):
    email: str
    email_key: str


class Recovery:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        config: Config,
        accounts: Accounts,
        changes: Credentials,
        passwords: Passwords,
        rate_limits: RateLimits,
        codes: RecoveryCodes,
        mail: Mailer,
    ) -> None:
        self._db, self._clock = db, clock
        self._accounts, self._changes = accounts, changes
        self._passwords, self._rate_limits, self._codes, self._mail = passwords, rate_limits, codes, mail
        self._sql = db.statements("accounts.accounts")
        self._links = RecoveryLinks(db, clock, config, mail)

    @property
    def by_mail(self) -> bool:
        """Whether links can be sent: a mail server is set."""
        return self._mail.is_on

    async def close(self) -> None:
        """Sends the links that have been requested."""
        await self._links.close()

    async def by_code(
        self, typed: str, code: str, password: str, address: str, current: Member | None
    ) -> SignedIn:
        """Sets the password and signs this device in."""
        email, plain = email_address.read(typed), recovery_codes.plain(code)
        async with self._rate_limits.attempt(email.key, address):
            hashed = await self._passwords.hash(password, email.key, address=address)
            async with self._db.transaction() as on:
                found = await self._sql.one("find_by_email", Account, on=on, email_key=email.key)
                # The same statements for known and unknown addresses.
                is_good = await self._codes.use(found.user_id if found else NO_ID, plain, on=on)
                if found is None or not is_good:
                    raise NotSignedIn(WRONG_CODE)
                ended = await self._changes.put_password(found, hashed, None, on=on)
        await self._changes.notify_password_changed(found, ended, address)
        return await self._enter(found.user_id, current)

    async def send_link(self, typed: str, address: str) -> None:
        """Sends a link to the address after a short delay, if it has an account.

        Raises: NotFound (no mail server), Invalid, TooMany, Unavailable.
        """
        if not self.by_mail:
            raise NotFound
        email = email_address.read(typed)
        await self._rate_limits.ask_link(email.key, address)
        self._links.ask(email.key)

    async def is_link(self, token: str) -> bool:
        """Whether this link is valid. Does not use it up."""
        found = await self._sql.value("is_link", token_hash=hash_of(token), now=self._clock.frozen)
        return found is not None

    async def by_link(self, token: str, password: str, address: str, current: Member | None) -> SignedIn:
        """As `by_code`, with the token of a link. The recovery codes no longer work."""
        if not await self.is_link(token):
            async with self._rate_limits.attempt(None, address):
                raise NotSignedIn(DEAD_LINK)
        hashed = await self._passwords.hash(password, address=address)
        async with self._db.transaction() as on:
            account = await self._take(token, hashed, on)
            # The account may be the work of someone else who typed this address, and who has its codes.
            await self._codes.drop(account.user_id, on=on)
            ended = await self._changes.put_password(account, hashed, None, on=on)
        await self._changes.notify_password_changed(account, ended, address, has_codes=False)
        return await self._enter(account.user_id, current)

    async def _take(self, token: str, hashed: str, on: Transaction) -> Account:
        """The account of a link. A guest who has paid becomes an account, with the receipt's address."""
        values = {"token_hash": hash_of(token), "now": self._clock.frozen}
        user_id = await self._sql.value("take_link", on=on, **values)
        account = await self._sql.one("lock", Account, on=on, user_id=user_id)
        email = (
            None if account else await self._sql.one("receipt_email", ReceiptEmail, on=on, user_id=user_id)
        )
        if email is not None:
            await self._accounts.create(str(user_id), email.email, email.email_key, hashed, on=on)
            account = await self._sql.one("lock", Account, on=on, user_id=user_id)
        if account is None:
            raise NotSignedIn(DEAD_LINK)
        return account

    async def _enter(self, user_id: str, current: Member | None) -> SignedIn:
        """Signs in. The account's sessions have ended; another user's session on this device ends too."""
        other = current if current and current.user_id != user_id else None
        return await self._accounts.enter(await self._accounts.get(user_id), other)
