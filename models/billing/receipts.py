"""Receipts: what a user has paid, what happened to each payment, and refunds of extra payments.

A user who paid twice, or paid and also has access by a code, is informed and can take the extra payment back.
Raises: Conflict for a payment that alone grants access, that is disputed, or, beside a code, whose own code
has been used by friends; the operator decides those.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from models.billing.entitlement import Entitlement, LostBy
from models.billing.provider.stripe_types import CheckoutKind
from models.billing.withdrawals import Withdrawals
from models.currencies import amount_text
from models.errors import Conflict, NotFound
from models.messages import JsonStruct, instant
from models.postgres.database import Db

PaymentStatus = Literal["paid", "partly_refunded", "refunded", "disputed", "lost", "review"]
SHORT = 8


class Receipt(msgspec.Struct, frozen=True):
    payment_id: str
    # None for a payment in review.
    number: int | None
    paid_at: datetime
    amount_cents: int
    # Name, address and tax number, one a line; None for a payment of an earlier version of the site.
    seller: str | None
    # What of the amount is tax, and its rate; None if it is not known.
    tax_cents: int | None
    tax_percent: Decimal | None
    currency: str
    kind: CheckoutKind
    stripe_id: str
    refunded_cents: int
    is_refunded: bool
    is_in_review: bool
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
        if self.is_in_review:
            return "review"
        return "partly_refunded" if self.refunded_cents else "paid"

    @property
    def is_extra(self) -> bool:
        return self.is_second or self.is_beside_code

    @property
    def is_refundable(self) -> bool:
        """Whether the user can take it back without the operator."""
        return not self.is_disputed and (self.is_second or (self.is_beside_code and not self.has_invited))

    @property
    def amount_text(self) -> str:
        return amount_text(self.amount_cents, self.currency)

    @property
    def tax_text(self) -> str | None:
        return None if self.tax_cents is None else amount_text(self.tax_cents, self.currency)

    @property
    def number_text(self) -> str:
        """Sequential, without gaps; test payments have numbers of their own."""
        number = "-" if self.number is None else f"{self.number:06d}"
        return number if self.kind == "live" else f"TEST-{number}"

    @property
    def refunded_text(self) -> str:
        return amount_text(self.refunded_cents, self.currency)

    @property
    def short_id(self) -> str:
        """The end of the Stripe id, enough to find the payment in Stripe or to name it to the operator."""
        return f"…{self.stripe_id[-SHORT:]}"

    def as_json(self) -> ReceiptMessage:
        return ReceiptMessage(
            payment_id=self.payment_id,
            number=self.number_text,
            tax_cents=self.tax_cents,
            paid_at=instant(self.paid_at),
            amount_cents=self.amount_cents,
            currency=self.currency,
            status=self.status,
            refunded_cents=self.refunded_cents,
            is_extra=self.is_extra,
            is_refundable=self.is_refundable,
            stripe_id=self.short_id,
        )


class ReceiptMessage(JsonStruct, frozen=True, kw_only=True):
    """One item of `GET /receipt`."""

    payment_id: str
    number: str
    paid_at: str
    tax_cents: int | None
    amount_cents: int
    currency: str
    status: PaymentStatus
    refunded_cents: int
    is_extra: bool
    is_refundable: bool
    stripe_id: str


class Receipts:
    def __init__(self, db: Db, withdrawals: Withdrawals, entitlement: Entitlement) -> None:
        self._withdrawals, self._entitlement = withdrawals, entitlement
        self._sql = db.statements("billing.receipts")

    async def of(self, user_id: str) -> list[Receipt]:
        """All receipts of a user, newest first."""
        return await self._sql.all("of_user", Receipt, user_id=user_id)

    async def has_extra(self, user_id: str) -> bool:
        """Whether the user has paid more than necessary."""
        return any(receipt.is_extra for receipt in await self.of(user_id))

    async def lost_by(self, user_id: str) -> LostBy | None:
        """For a user without access: what happened to the last payment."""
        for receipt in (await self.of(user_id))[:1]:
            return await self._entitlement.lost_by(receipt.payment_id)
        return None

    async def refund_own(self, user_id: str, payment_id: str) -> None:
        """Refunds an extra payment. Raises: NotFound (not theirs), Conflict (not extra), StripeUnavailable,
        StripeRefused.
        """
        own = [receipt for receipt in await self.of(user_id) if receipt.payment_id == payment_id]
        if not own:
            raise NotFound
        if not own[0].is_refundable:
            raise Conflict("You cannot take this payment back yourself. Please ask the operator.")
        await self._withdrawals.refund_extra(user_id, payment_id, stops_code=not own[0].is_second)
