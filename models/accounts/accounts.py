"""Accounts: users who can sign in with an e-mail address and a password.

A user has at most one account, an address belongs to at most one account (constraints), and an account has
one session at a time. Upgrading a guest keeps the user and rotates the session's token. Signing in ends the
account's other sessions and notifies their sockets at once. Known and unknown addresses get the same answer
in the same time. Attempts are counted before the password is compared (`RateLimits.attempt`).
Raises: NotSignedIn (wrong password), Conflict (address taken, already an account), Invalid, TooMany, Banned,
Unavailable.
"""

from __future__ import annotations

import contextlib

import msgspec

from models.accounts.recovery_codes import RecoveryCodes
from models.clock import Clock
from models.errors import Conflict, Invalid, NotSignedIn, Unavailable
from models.mail import email_address
from models.mail.email_address import Email
from models.postgres.database import Db, Transaction, UniqueViolation
from models.safety.ban_notices import BanNotices
from models.safety.email_bans import EmailBans
from models.security.member import Member
from models.security.passwords import Passwords
from models.security.rate_limits import RateLimits
from models.security.sessions import EndedSession, NewSession, Sessions, SignedIn, SignedInJson

WRONG = "That e-mail and password do not go together."
TAKEN = "An account with this e-mail exists already. Sign in to it, or use another address."
ELSEWHERE, LEFT = "signed_in_elsewhere", "signed_out"
NONE_KEPT = "This is for accounts: keep yours first, with an e-mail and a password."
HAS_ONE = "You have an account already."


class Account(msgspec.Struct, frozen=True):
    user_id: str
    email: str
    email_key: str
    password_hash: str


class Upgraded(msgspec.Struct, frozen=True):
    """The same user with a new token, and the recovery codes, which are shown once."""

    signed_in: SignedIn
    recovery_codes: list[str]

    def as_json(self) -> SignedInJson:
        return msgspec.structs.replace(self.signed_in.as_json(), recovery_codes=self.recovery_codes)


class Accounts:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        sessions: Sessions,
        passwords: Passwords,
        rate_limits: RateLimits,
        recovery_codes: RecoveryCodes,
        ban_notices: BanNotices,
        email_bans: EmailBans,
    ) -> None:
        self._db, self._clock = db, clock
        self._ban_notices, self._email_bans = ban_notices, email_bans
        self._sessions, self._passwords, self._rate_limits = sessions, passwords, rate_limits
        self._codes = recovery_codes
        self._sql = db.statements("accounts.accounts")

    async def find(self, user_id: str) -> Account | None:
        """None for a guest."""
        return await self._sql.one("find", Account, user_id=user_id)

    async def get(self, user_id: str) -> Account:
        """Raises Conflict for a guest."""
        account = await self.find(user_id)
        if account is None:
            raise Conflict(NONE_KEPT)
        return account

    # -- a guest becomes an account --

    async def upgrade(self, member: Member, typed: str, password: str, address: str) -> Upgraded:
        """A taken address counts as a wrong guess, so that addresses with an account cannot be listed."""
        email = email_address.read(typed)
        if member.is_account:
            raise Conflict(HAS_ONE)
        async with self._rate_limits.attempt(None, address):
            hashed = await self._passwords.hash(password, email.key, member.name, address=address)
            return await self._keep(member, email, hashed)

    async def _keep(self, member: Member, email: Email, hashed: str) -> Upgraded:
        async def write(on: Transaction) -> tuple[Upgraded, list[EndedSession]]:
            await self.create(member.user_id, email.text, email.key, hashed, on=on)
            codes = await self._codes.renew(member.user_id, on=on)
            ended = await self._sessions.end_others(member.user_id, member.session_id, ELSEWHERE, on=on)
            new = await self._sessions.rotate(member.session_id, on=on)
            signed_in = await self._sessions.signed_in(new, on=on)
            return Upgraded(signed_in=signed_in, recovery_codes=codes), ended

        upgraded, ended = await self._db.transact(write)
        self._sessions.publish(ended)
        return upgraded

    async def check_free(self, email_key: str, *, on: Transaction) -> None:
        """Raises: Conflict if the address is banned; the same error as for a taken one."""
        if await self._email_bans.is_banned(email_key, on=on):
            raise Conflict(TAKEN, fields={"email": TAKEN})

    async def create(self, user_id: str, email: str, email_key: str, hashed: str, *, on: Transaction) -> None:
        """Raises: Conflict (an account already, or the address is taken or banned)."""
        await self.check_free(email_key, on=on)
        values = {"user_id": user_id, "email": email, "email_key": email_key, "password_hash": hashed}
        try:
            await self._sql.run("create", on=on, **values, now=self._clock.frozen)
        except UniqueViolation as error:
            if error.constraint == "accounts_pkey":
                raise Conflict(HAS_ONE) from error
            raise Conflict(TAKEN, fields={"email": TAKEN}) from error

    # -- signing in --

    async def login(self, typed: str, password: str, address: str, current: Member | None) -> SignedIn:
        """`current` is the signed-in member, if any: their session continues if it is this account's, else
        ends.
        """
        email = email_address.read(typed)
        if not password:
            raise Invalid(password="Type your password.")
        async with self._rate_limits.attempt(email.key, address):
            account = await self._sql.one("find_by_email", Account, email_key=email.key)
            known = account.password_hash if account else None
            if not await self._passwords.matches(password, known, address) or account is None:
                raise NotSignedIn(WRONG)
            signed_in = await self.enter(account, current)
        await self._rehash(account, password, address)
        return signed_in

    async def enter(self, account: Account, current: Member | None) -> SignedIn:
        """Starts the account's only session. Raises: NotSignedIn (the account has changed since), Banned."""
        own = current.session_id if current and current.user_id == account.user_id else None
        async with self._db.transaction() as on:
            if await self._sql.one("lock", Account, on=on, user_id=account.user_id) != account:
                raise NotSignedIn(WRONG)
            ended = await self._sessions.end_others(account.user_id, own, ELSEWHERE, on=on)
            signed_in = await self._sessions.signed_in(await self._session(account, own, on), on=on)
            if signed_in.member.is_banned:
                raise await self._ban_notices.refusal(account.user_id)
        self._sessions.publish(ended)
        if current and not own:
            await self._sessions.end(current.session_id, LEFT)
        return signed_in

    async def _session(self, account: Account, own: str | None, on: Transaction) -> NewSession:
        """On the same device the session and its sockets stay; the token is always new."""
        if own:
            return await self._sessions.rotate(own, on=on)
        return await self._sessions.create(account.user_id, on=on)

    async def _rehash(self, account: Account, password: str, address: str) -> None:
        """Hashes at the configured cost. If it fails, the next sign-in tries again."""
        if self._passwords.is_current(account.password_hash):
            return
        with contextlib.suppress(Unavailable):
            hashed = await self._passwords.rehash(password, address)
            old = account.password_hash
            await self._sql.run("rehash", user_id=account.user_id, old_hash=old, password_hash=hashed)
