"""Sign-up of guests, and the next step of the onboarding.

The user, the session and the use of an invite code are written in one transaction: a code that does not work
creates no user. Only an otherwise valid sign-up is counted against the address, so mistakes in the form cost
nothing. Raises: Invalid (every field at once), TooMany.
"""

from __future__ import annotations

import contextlib
from functools import partial

import msgspec

from models.access.invite_codes import InviteCodes, Preview
from models.accounts.age_gate import AgeGate
from models.business_events import record
from models.clock import Clock
from models.errors import AddressLimit, Conflict, Invalid, NotFound, TooMany
from models.postgres.database import Db, Transaction
from models.profiles.terms import TermsAcceptances
from models.profiles.users import Users, checked
from models.room.introductions import Introductions
from models.safety.address_bans import AddressBans
from models.security.member import Member
from models.security.rate_limits import RateLimits
from models.security.sessions import Sessions, SignedIn
from models.settings.config import Config


class Invitation(msgspec.Struct, frozen=True):
    """The result of checking a friend's code: one of the two, or neither without a code."""

    preview: Preview | None = None
    refusal: str | None = None


class SignUp:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        config: Config,
        users: Users,
        terms: TermsAcceptances,
        sessions: Sessions,
        invite_codes: InviteCodes,
        rate_limits: RateLimits,
        address_bans: AddressBans,
        introductions: Introductions,
        age_gate: AgeGate,
    ) -> None:
        self._age_gate = age_gate
        self._introductions = introductions
        self._address_bans = address_bans
        self._db, self._clock, self._config = db, clock, config
        self._users, self._terms, self._sessions = users, terms, sessions
        self._invite_codes, self._rate_limits = invite_codes, rate_limits

    async def guest(
        self,
        name: str,
        gender: str,
        *,
        adult: bool,
        invite_code: str | None,
        address: str,
        introduce: str | None = None,
        birth_date: str | None = None,
        terms_version: str | None = None,
    ) -> SignedIn:
        """Creates a guest, in one transaction. An expired introduction is ignored.

        Raises: Invalid (`name`, `gender`, `adult`, `birthDate`, `inviteCode`), NotAllowed (too young),
        TooMany, Banned (the address), Unavailable.
        """
        self._check_form(name, gender, adult=adult, birth_date=birth_date)
        self._terms.check(terms_version)
        await self._address_bans.check(address)
        await self._age_gate.check(birth_date, address)
        create = partial(
            self._create, name, gender,
            adult=adult, address=address, invite_code=invite_code, introduce=introduce,
        )  # fmt: skip
        if not invite_code:
            return _recorded(await self._db.transact(create), "plain")
        try:
            async with self._invite_codes.guessing(address), self._invite_codes.turn(invite_code):
                return _recorded(await self._db.transact(create), "code")
        except (Conflict, NotFound) as problem:
            raise Invalid(inviteCode=problem.message) from problem

    def _check_form(self, name: str, gender: str, *, adult: bool, birth_date: str | None) -> None:
        faults = self._age_gate.faults(birth_date)
        try:
            checked(name, gender, adult=adult)
        except Invalid as problem:
            raise Invalid(**faults, **(problem.fields or {})) from problem
        if faults:
            raise Invalid(**faults)

    async def invitation(self, code: str | None, address: str) -> Invitation:
        """The inviter of this code, or why it cannot be used (also: too many unknown codes from this
        address).
        """
        if not code:
            return Invitation()
        try:
            async with self._invite_codes.guessing(address):
                return Invitation(await self._invite_codes.check(code))
        except (Conflict, Invalid, NotFound, TooMany) as problem:
            return Invitation(refusal=next(iter((problem.fields or {}).values()), problem.message))

    async def _create(
        self,
        name: str,
        gender: str,
        on: Transaction,
        *,
        adult: bool,
        invite_code: str | None,
        address: str,
        introduce: str | None,
    ) -> SignedIn:
        user_id = await self._users.create_guest(name, gender, adult=adult, on=on)
        await self._terms.accept(user_id, on=on)
        if invite_code:
            await self._invite_codes.redeem(invite_code, user_id, on=on)
        if introduce:
            with contextlib.suppress(NotFound):
                await self._introductions.accept(introduce, user_id, on=on)
        new = await self._sessions.create(user_id, on=on)
        # Last, so that earlier failures are not counted; a refusal here rolls everything back.
        try:
            await self._rate_limits.hit("guests", address)
        except TooMany as problem:
            raise AddressLimit("sign_ups", retry_after=problem.retry_after) from problem
        return await self._sessions.signed_in(new, on=on)


def next_step(member: Member | None) -> str:
    """The first missing step of the onboarding: `profile`, `selfie`, `access`, or `done`."""
    if member is None:
        return "profile"
    if member.selfie_id is None:
        return "selfie"
    return "access" if member.access == "unpaid" else "done"


def _recorded(signed_in: SignedIn, kind: str) -> SignedIn:
    record("sign_up", kind)
    return signed_in
