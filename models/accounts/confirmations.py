"""Confirmation of e-mail addresses: only a confirmed address gets recovery links.

An account's address is confirmed by a link that is sent to it, a guest's by the link in the receipt. Opening
the link changes nothing, because mail scanners open links; the button on its page confirms. Raises: NotFound
for a link that does not fit, also after a change of the address.
"""

from __future__ import annotations

import contextlib

import msgspec

from models.accounts import email_texts
from models.clock import Clock
from models.errors import NotFound, TooMany, Unavailable
from models.ids import is_id
from models.mail.mailer import Mailer
from models.postgres.database import Db
from models.security.email_confirmations import EmailConfirmations
from models.security.rate_limits import RateLimits


class EmailToConfirm(msgspec.Struct, frozen=True):
    """The address of an account, or of a guest's receipt."""

    email: str
    email_key: str
    is_confirmed: bool
    is_account: bool


class Confirmations:
    def __init__(
        self, db: Db, clock: Clock, links: EmailConfirmations, rate_limits: RateLimits, mail: Mailer
    ) -> None:
        self._clock, self._links, self._rate_limits, self._mail = clock, links, rate_limits, mail
        self._sql = db.statements("accounts.confirmations")

    async def find(self, user_id: str) -> EmailToConfirm | None:
        """The user's address, or None."""
        return await self._sql.one("addresses", EmailToConfirm, user_id=user_id)

    async def send_first(self, user_id: str, address: str) -> None:
        """As `send`, after a change of the e-mail address. Over the limit, or without Redis, nothing is
        sent: the settings page offers it again.
        """
        with contextlib.suppress(TooMany, Unavailable):
            await self.send(user_id, address)

    async def send(self, user_id: str, address: str) -> None:
        """Sends the link to the user's address, unless it is confirmed. Counted like requests for a recovery
        link, by the mailbox and by the network address: anyone can enter the mailbox of someone else. Raises:
        TooMany.
        """
        found = await self.find(user_id)
        if found is None or found.is_confirmed or not self._mail.is_on:
            return
        await self._rate_limits.ask_link(found.email_key, address)
        url = await self._links.url(user_id, found.email_key)
        self._mail.send(found.email, *email_texts.confirmation(url))

    async def of_link(self, user_id: str, token: str) -> EmailToConfirm:
        """The address that a link confirms. Raises: NotFound."""
        found = await self.find(user_id) if is_id(user_id) else None
        if found is None or not await self._links.fits(token, user_id, found.email_key):
            raise NotFound("This link does not fit. The address may have been changed since.")
        return found

    async def confirm(self, user_id: str, token: str) -> EmailToConfirm:
        """Confirms the address. Raises: NotFound."""
        found = await self.of_link(user_id, token)
        values = {"user_id": user_id, "email_key": found.email_key}
        await self._sql.run("confirm", on=None, now=self._clock.frozen, **values)
        return found
