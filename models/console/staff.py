"""Staff of the console: moderators and admins with a name, a password and a second factor.

A name is unique regardless of case. A new or reset member of staff sets a password and a second factor
through a link that works once. Resetting and disabling end their sessions in the same transaction. At least
one admin remains. A code of the second factor counts once. Attempts are counted before they are checked.
Every action is in the audit log. Raises: NotFound, Conflict, Invalid, NotSignedIn, TooMany.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import get_args

import msgspec

from models.clock import Clock
from models.console.sessions import StaffRole, StaffSessions
from models.errors import Conflict, Invalid, NotFound
from models.ids import is_id, new_id
from models.postgres.database import Db, Transaction, UniqueViolation
from models.profiles.names import clean_line, tidied
from models.security.audit_log import Audit
from models.security.passwords import Passwords
from models.security.second_factors import SecondFactors
from models.security.tokens import hash_of
from models.settings.config import Config

ENROL_HOURS = 24
LONGEST_NAME, MOST_TYPED = 80, 1000
LAST_ADMIN = "This is the last admin. Make someone else an admin first."
NO_LINK = "This link has been used or has expired. Ask an admin for a new one."
WRONG_CODE = "Those digits are wrong or have expired. Wait for the next ones."


class Staff(msgspec.Struct, frozen=True):
    staff_id: str
    name: str
    role: StaffRole
    is_enrolled: bool
    is_disabled: bool
    created_at: datetime


class Enrolment(msgspec.Struct, frozen=True):
    """The member of staff of an enrolment link, and the seed of their second factor."""

    staff_id: str
    name: str
    seed: str


class StaffList:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        config: Config,
        audit: Audit,
        passwords: Passwords,
        factors: SecondFactors,
        sessions: StaffSessions,
    ) -> None:
        self._db, self._clock, self._config, self._audit = db, clock, config, audit
        self._passwords, self._factors, self._sessions = passwords, factors, sessions
        self._sql = db.statements("console.staff")

    async def all(self) -> list[Staff]:
        return await self._sql.all("all", Staff)

    async def get(self, staff_id: str) -> Staff:
        """Raises: NotFound."""
        found = await self._sql.one("find", Staff, staff_id=staff_id) if is_id(staff_id) else None
        if found is None:
            raise NotFound("There is no such member of staff.")
        return found

    async def named(self, name: str) -> Staff:
        """Raises: NotFound."""
        found = await self._sql.one("find_by_name", Staff, name_key=key_of(name))
        if found is None:
            raise NotFound("There is no member of staff with that name.")
        return found

    # -- by admins and the operator --

    async def add(self, name: str, role: str, actor: str, reason: str = "") -> str:
        """Adds a member of staff and returns the enrolment link. Raises: Invalid, Conflict (name taken)."""
        clean, kind = clean_name(name), role_of(role)
        staff_id, (token, values) = new_id(), self._new_link()
        values |= {"staff_id": staff_id, "name": clean, "name_key": key_of(clean), "role": kind}
        async with self._db.transaction() as on:
            try:
                await self._sql.run("add", on=on, **values)
            except UniqueViolation as error:
                raise Conflict("That name is already taken.") from error
            await self._audit.write(actor, f"staff.add.{kind}", f"staff {staff_id}", reason, on=on)
        return self._enrol_url(token)

    async def reset(self, staff_id: str, actor: str, reason: str = "") -> str:
        """Removes password and second factor, and returns a new enrolment link. Raises: NotFound."""
        await self.get(staff_id)
        token, values = self._new_link()
        async with self._db.transaction() as on:
            await self._sql.run("reset", on=on, staff_id=staff_id, **values)
            await self._sessions.end_all(staff_id, on=on)
            await self._audit.write(actor, "staff.reset", f"staff {staff_id}", reason, on=on)
        return self._enrol_url(token)

    async def disable(self, staff_id: str, actor: str, reason: str = "") -> None:
        """Disables a member of staff at once. Raises: NotFound, Conflict (last admin, already disabled)."""
        await self.get(staff_id)
        async with self._db.transaction() as on:
            await self._keep_an_admin(staff_id, on)
            if not await self._sql.run("disable", on=on, staff_id=staff_id, now=self._clock.frozen):
                raise Conflict("They are already disabled.")
            await self._sessions.end_all(staff_id, on=on)
            await self._audit.write(actor, "staff.disable", f"staff {staff_id}", reason, on=on)

    async def set_role(self, staff_id: str, role: str, actor: str, reason: str = "") -> None:
        """Changes the role. Raises: NotFound, Invalid, Conflict (last admin)."""
        kind = role_of(role)
        await self.get(staff_id)
        async with self._db.transaction() as on:
            if kind != "admin":
                await self._keep_an_admin(staff_id, on)
            await self._sql.run("set_role", on=on, staff_id=staff_id, role=kind)
            await self._audit.write(actor, f"staff.role.{kind}", f"staff {staff_id}", reason, on=on)

    async def _keep_an_admin(self, staff_id: str, on: Transaction) -> None:
        if await self._sql.all("lock_admins", str, on=on) == [staff_id]:
            raise Conflict(LAST_ADMIN)

    def _new_link(self) -> tuple[str, dict[str, object]]:
        token = str(uuid.uuid4())
        values = {"totp_seed": str(uuid.uuid4()), "enrol_hash": hash_of(token), "hours": ENROL_HOURS}
        return token, values | {"now": self._clock.frozen}

    def _enrol_url(self, token: str) -> str:
        return f"{self._config.base_url}/admin/enrol?link={token}"

    # -- enrolment --

    async def enrolment(self, link: str) -> Enrolment:
        """Raises: NotFound."""
        found = await self._sql.one("enrolment", Enrolment, enrol_hash=hash_of(link), now=self._clock.frozen)
        if found is None:
            raise NotFound(NO_LINK)
        return found

    async def enrol(self, link: str, password: str, code: str) -> str:
        """Completes an enrolment and returns a session token.

        Raises: NotFound, Invalid (`password`, `code`), Unavailable.
        """
        who = await self.enrolment(link)
        hashed = await self._passwords.hash(password, who.name)
        step = await self._factors.step_of(who.seed, code)
        if step is None:
            raise Invalid(code=WRONG_CODE)
        values = {"enrol_hash": hash_of(link), "password_hash": hashed, "step": step}
        async with self._db.transaction() as on:
            if await self._sql.value("enrol", on=on, now=self._clock.frozen, **values) is None:
                raise NotFound(NO_LINK)
            token = await self._sessions.create(who.staff_id, has_passed=True, on=on)
            await self._audit.write(who.staff_id, "staff.enrol", f"staff {who.staff_id}", on=on)
        return token


def clean_name(name: str) -> str:
    """A cleaned name or e-mail address. Raises: Invalid (`name`)."""
    clean = clean_line(name, "name", LONGEST_NAME)
    if len(clean) > LONGEST_NAME:
        raise Invalid(name=f"Use at most {LONGEST_NAME} characters.")
    return clean


def key_of(name: str) -> str:
    """The case-insensitive key of a name, cleaned as stored names are."""
    return tidied(name[:MOST_TYPED].replace("\x00", "")).casefold()


def role_of(role: str) -> StaffRole:
    """A role from a form. Raises: Invalid (`role`)."""
    for known in get_args(StaffRole):
        if role == known:
            found: StaffRole = known
            return found
    raise Invalid(role="Choose moderator or admin.")
