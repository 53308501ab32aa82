"""Invite codes, which give access without the fee.

A user has one code (16 characters of Crockford base32, `code_uses` uses); the operator has codes with a label
and any number of uses. A use and the access it grants are written in one transaction, and the last use is
taken by exactly one user. Wrong guesses never block a code that exists
(docs/decisions/product/code-guesses.md).

Raises: NotFound for an unknown code, counted as a guess; Invalid for text without a code; Conflict for a code
that is used up, switched off, the user's own, or redeemed by a user who has access.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import msgspec

from models import messages
from models.access.grants import AccessChange, Grants
from models.access.posters import poster_svg
from models.access.qr_codes import png_of, svg_of
from models.access.typed_codes import code_in
from models.clock import Clock
from models.concurrency.keyed_semaphore import KeyedSemaphore
from models.errors import Conflict, Invalid, NotFound, Unavailable
from models.ids import new_code
from models.postgres.database import Db, Transaction, UniqueViolation
from models.security.rate_limits import RateLimits
from models.settings.config import Config

UNKNOWN = "No such code. Check each letter, or ask your friend for the QR code."
EMPTY = "Type the 16 letters and digits of the code."
MALFORMED = "No such code exists: a code has 16 letters and digits, like 8GZK-2M4T-V0QX-71WA."
MOST_WAITING = 32


class OwnCode(msgspec.Struct, frozen=True):
    """A user's own code. `uses_remaining` is None without a limit."""

    code: str
    uses_remaining: int | None
    stopped: bool
    invite_url: str = ""


class Preview(msgspec.Struct, frozen=True):
    """A valid code and the name of its inviter."""

    code: str
    inviter_name: str


# Reasons why a code cannot be redeemed; the first that applies is reported.
OBSTACLES = {
    "is_in": "You are in already. This code stays valid for someone else.",
    "is_own": "This is your own code. Hand it to a friend.",
    "has_used_one": "You have used an invite code before. Each person can use only one.",
    "is_stopped": "This code has been switched off. Ask your friend for another one, or pay once instead.",
    "is_used_up": "This code has been used up. Ask your friend for another one, or pay once instead.",
}


class CodeStatus(msgspec.Struct, frozen=True):
    """Everything that decides whether a user may redeem a code."""

    code: str
    inviter_name: str
    is_stopped: bool
    is_used_up: bool
    is_own: bool
    is_in: bool
    has_used_one: bool

    @property
    def problem(self) -> Conflict | None:
        """The first obstacle, or None if the code may be redeemed."""
        texts = [text for name, text in OBSTACLES.items() if getattr(self, name)]
        return Conflict(texts[0]) if texts else None


class InviteCodes:
    def __init__(self, db: Db, clock: Clock, config: Config, grants: Grants, rate_limits: RateLimits) -> None:
        self._db, self._clock, self._config = db, clock, config
        self._grants, self._rate_limits = grants, rate_limits
        self._sql = db.statements("access.invite_codes")
        self._drawing = asyncio.Semaphore(1)
        self._waiting = 0
        self._semaphore = KeyedSemaphore()

    # -- the user's own code --

    async def find_own(self, user_id: str, *, on: Transaction | None = None) -> OwnCode | None:
        own = await self._sql.one("find_own", OwnCode, on=on, user_id=user_id)
        return own and msgspec.structs.replace(own, invite_url=self.invite_url(own.code))

    async def ensure_own(self, user_id: str, *, on: Transaction) -> None:
        """Creates the code of a user who has paid. A user has at most one."""
        values = {"user_id": user_id, "code": new_code(), "uses_limit": self._config.code_uses}
        await self._sql.run("ensure_own", on=on, now=self._clock.frozen, **values)

    async def stop_own(self, user_id: str, *, on: Transaction) -> None:
        """Stops the code when access is lost. Users who redeemed it keep their access."""
        await self._sql.run("stop_own", on=on, user_id=user_id, now=self._clock.frozen)

    async def resume_own(self, user_id: str, *, on: Transaction) -> None:
        """Undoes `stop_own`. A code that the operator has switched off stays off."""
        await self._sql.run("resume_own", on=on, user_id=user_id)

    def invite_url(self, code: str) -> str:
        return f"{self._config.base_url}/onboarding?inviteCode={code}"

    # -- codes of others --

    async def preview(self, code: str | None) -> Preview | None:
        """The preview of a code, or None if a new user could not redeem it."""
        try:
            return await self.check(code)
        except (Conflict, Invalid, NotFound):
            return None

    async def check(self, code: str | None, user_id: str | None = None) -> Preview:
        """Checks a code as `redeem` does, without using it. Raises: NotFound, Conflict, Invalid."""
        found = await self._status(plain_code(code), user_id)
        if problem := found.problem:
            raise problem
        return Preview(code=found.code, inviter_name=found.inviter_name)

    async def redeem(
        self, code: str | None, user_id: str, address: str | None = None, *, on: Transaction | None = None
    ) -> messages.Access:
        """Uses the code once and grants access. Raises: NotFound, Conflict, Invalid.

        With `on` it is part of the caller's transaction, and the caller wraps it in `guessing`. Without, it
        commits, publishes the change, and counts an unknown code against `address` (TooMany).
        """
        if on is not None:
            return (await self._redeem(code, user_id, on)).access
        async with self.guessing(address), self.turn(code):
            change = await self._db.transact(lambda own: self._redeem(code, user_id, own))
        self._grants.publish(change)
        return change.access

    @asynccontextmanager
    async def guessing(self, address: str | None) -> AsyncIterator[None]:
        """Wraps a look-up, outside of transactions, and counts an unknown code as a guess.

        Raises: TooMany instead of NotFound after too many guesses from the address.
        """
        try:
            yield
        except NotFound:
            if address is not None:
                await self._rate_limits.guess("code", address)
            raise

    def turn(self, code: str | None) -> AbstractAsyncContextManager[None]:
        """Taken around a redemption, outside of any transaction: many users may redeem the same code at once.

        Raises: Invalid, Contended.
        """
        return self._semaphore.acquired(plain_code(code))

    async def _redeem(self, code: str | None, user_id: str, on: Transaction) -> AccessChange:
        plain = plain_code(code)
        await self._grants.lock(user_id, on=on)
        if not await self._take_use(plain, user_id, on):
            # The obstacle may have gone in between; then there is no reason to name.
            raise (await self._status(plain, user_id, on=on)).problem or Conflict()
        change = await self._grants.grant_locked(user_id, "code", f"{user_id}/{plain}", on=on)
        return change or AccessChange(user_id=user_id, access=await self._grants.of(user_id, on=on))

    async def _take_use(self, code: str, user_id: str, on: Transaction) -> bool:
        try:
            values = {"code": code, "user_id": user_id, "now": self._clock.frozen}
            return await self._sql.run("redeem", on=on, **values) == 1
        except UniqueViolation as error:
            raise Conflict(OBSTACLES["has_used_one"]) from error

    async def _status(self, code: str, user_id: str | None, *, on: Transaction | None = None) -> CodeStatus:
        values = {"code": code, "user_id": user_id, "now": self._clock.frozen}
        found = await self._sql.one("status", CodeStatus, on=on, **values)
        if found is None:
            raise NotFound(UNKNOWN)
        return found

    # -- QR --

    async def check_owner(self, code: str, user_id: str) -> None:
        """Raises: NotFound, unless the user owns the code."""
        if await self._sql.value("is_owner", code=code, user_id=user_id) is None:
            raise NotFound

    async def qr_svg(self, code: str) -> bytes:
        """The QR code of the code's invite URL, black on white."""
        return await self._draw_url(svg_of, code)

    async def qr_png(self, code: str) -> bytes:
        return await self._draw_url(png_of, code)

    async def poster(self, code: str, label: str | None = None) -> bytes:
        """A page to print, as SVG."""
        return poster_svg(await self.qr_svg(code), code, self.invite_url(code), label)

    async def draw_svg(self, text: str) -> bytes:
        """Any text as a QR code."""
        return await self._draw_queued(svg_of, text)

    async def _draw_url(self, draw: Callable[[str], bytes], code: str) -> bytes:
        return await self._draw_queued(draw, self.invite_url(code))

    async def _draw_queued(self, draw: Callable[[str], bytes], text: str) -> bytes:
        """Draws one at a time, in a thread. Raises: Unavailable if too many wait."""
        if self._waiting >= MOST_WAITING:
            raise Unavailable
        self._waiting += 1
        try:
            async with self._drawing:
                return await asyncio.to_thread(draw, text)
        finally:
            self._waiting -= 1


def plain_code(typed: str | None) -> str:
    """Finds the code in typed or pasted text. Raises: Invalid (`inviteCode`) if there is none."""
    plain = code_in(typed or "")
    if plain is None:
        raise Invalid(inviteCode=MALFORMED if typed and typed.strip() else EMPTY)
    return plain
