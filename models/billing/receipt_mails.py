"""Receipts by e-mail: once for each payment, to the account's address, or to the one given at the checkout.

They are sent by the sweep, a few seconds after the payment, so that everything about it has been reported.
A failed delivery is repeated for a day. Without a mail server nothing is sent.
"""

from __future__ import annotations

from typing import Any

import msgspec

from models.billing.receipt_texts import receipt_text, seller_lines
from models.billing.receipts import Receipts
from models.clock import Clock
from models.mail.mailer import Mailer
from models.postgres.database import Db
from models.security.email_confirmations import EmailConfirmations
from models.settings.config import Config

WAIT_SECONDS, RETRY_SECONDS, MOST_AT_ONCE = 10, 120, 10


class DueReceipt(msgspec.Struct, frozen=True):
    attempt_id: str
    user_id: str
    email: str
    email_key: str
    is_confirmed: bool
    has_words: bool


class ReceiptMails:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        config: Config,
        receipts: Receipts,
        mail: Mailer,
        confirmations: EmailConfirmations,
    ) -> None:
        self._clock, self._config, self._receipts = clock, config, receipts
        self._mail, self._confirmations = mail, confirmations
        self._sql = db.statements("billing.receipts")

    async def sweep(self) -> None:
        """Sends the receipts that are due."""
        if not self._mail.is_on:
            return
        values: dict[str, Any] = {"wait": WAIT_SECONDS, "retry": RETRY_SECONDS, "most": MOST_AT_ONCE}
        for due in await self._sql.all("claim_unmailed", DueReceipt, now=self._clock.frozen, **values):
            found = [one for one in await self._receipts.of(due.user_id) if one.payment_id == due.attempt_id]
            if not found:
                continue
            seller = (seller_lines(found[0], self._config) or ["Napalm Sky"])[0]
            text = receipt_text(found[0], self._config, with_withdrawal=due.has_words)
            text += await self._way_back(due)
            subject = f"Your receipt {found[0].number_text} from {seller}"
            if await self._mail.deliver(due.email, subject, text):
                await self._sql.run("mark_mailed", attempt_id=due.attempt_id, now=self._clock.frozen)

    async def _way_back(self, due: DueReceipt) -> str:
        """A link that confirms the address, so that it can bring the payer back."""
        if due.is_confirmed:
            return ""
        url = await self._confirmations.url(due.user_id, due.email_key)
        return (
            "\nWith this link you confirm your address. If you ever lose your browser's cookies, it gets you "
            f"back in:\n{url}\n\nIf you did not pay anything, do nothing.\n"
        )
