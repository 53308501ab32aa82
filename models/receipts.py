"""Receipts: what a person has paid, what has become of it, and getting back what was paid too much.

Promises that somebody who paid twice, or paid and came by a code as well, is told, and may take the extra
payment back by themselves. Refuses (Conflict) to give back what alone lets them in, what a bank is deciding,
and, beside a code, a payment whose own code has brought friends already: that is for the operator to judge.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from models.amounts import amount_text
from models.db import Db
from models.errors import Conflict, NotFound
from models.messages import Wire, instant
from models.refunds import Refunds
from models.stripe_objects import Kind

PaymentStatus = Literal["paid", "partly_refunded", "refunded", "disputed", "lost"]
SHORT = 8


class Receipt(msgspec.Struct, frozen=True):
    payment_id: str
    paid_at: datetime
    amount_cents: int
    currency: str
    kind: Kind
    stripe_id: str
    refunded_cents: int
    is_refunded: bool
    is_disputed: bool
    is_lost: bool
    is_second: bool
    is_beside_code: bool
    has_invited: bool

    @property
    def status(self) -> PaymentStatus:
        if self.is_refunded:
            return "refunded"
        if self.is_lost or self.is_disputed:
            return "lost" if self.is_lost else "disputed"
        return "partly_refunded" if self.refunded_cents else "paid"

    @property
    def is_extra(self) -> bool:
        return self.is_second or self.is_beside_code

    @property
    def is_refundable(self) -> bool:
        """By the person alone."""
        return not self.is_disputed and (self.is_second or (self.is_beside_code and not self.has_invited))

    @property
    def amount_text(self) -> str:
        return amount_text(self.amount_cents, self.currency)

    @property
    def refunded_text(self) -> str:
        return amount_text(self.refunded_cents, self.currency)

    @property
    def short_id(self) -> str:
        """Enough to find it by, at Stripe or with the operator."""
        return f"…{self.stripe_id[-SHORT:]}"

    def as_json(self) -> ReceiptTold:
        return ReceiptTold(
            payment_id=self.payment_id,
            paid_at=instant(self.paid_at),
            amount_cents=self.amount_cents,
            currency=self.currency,
            status=self.status,
            refunded_cents=self.refunded_cents,
            is_extra=self.is_extra,
            is_refundable=self.is_refundable,
            stripe_id=self.short_id,
        )


class ReceiptTold(Wire, frozen=True, kw_only=True):
    """One of `GET /receipt`."""

    payment_id: str
    paid_at: str
    amount_cents: int
    currency: str
    status: PaymentStatus
    refunded_cents: int
    is_extra: bool
    is_refundable: bool
    stripe_id: str


class Receipts:
    def __init__(self, db: Db, refunds: Refunds) -> None:
        self._refunds = refunds
        self._sql = db.statements("receipts")

    async def of(self, user_id: str) -> list[Receipt]:
        """The newest first."""
        return await self._sql.all("of_user", Receipt, user_id=user_id)

    async def has_extra(self, user_id: str) -> bool:
        """Whether they are to be told that they have paid too much."""
        return any(receipt.is_extra for receipt in await self.of(user_id))

    async def lost_by(self, user_id: str) -> Literal["refunded", "disputed"] | None:
        """For somebody whose access has ended: what became of the last payment."""
        for receipt in (await self.of(user_id))[:1]:
            if receipt.is_refunded or receipt.is_lost:
                return "refunded" if receipt.is_refunded else "disputed"
        return None

    async def refund_own(self, user_id: str, payment_id: str) -> None:
        """Raises NotFound (not theirs), Conflict (not extra), StripeAway, StripeRefused."""
        own = [receipt for receipt in await self.of(user_id) if receipt.payment_id == payment_id]
        if not own:
            raise NotFound
        if not own[0].is_refundable:
            raise Conflict("This payment is not one that you can take back by yourself.")
        await self._refunds.refund(await self._refunds.find(payment_id))
