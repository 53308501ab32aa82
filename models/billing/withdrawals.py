"""Withdrawals: the buyer's right to get the money back until the service is first used (CONSUMER_LAW=eu).

Before the checkout the buyer asks for the service to begin at once and is informed of the right to withdraw;
the words and the time are stored with the checkout. The right ends with the first connected call, or when a
friend joins with the buyer's code. A withdrawal is recorded and ends access in one transaction; the refund
follows at once, and is repeated by the sweep until Stripe has made it.

At most REFUNDS_PER_YEAR refunds are made at a user's own request, and after that many the user cannot pay
again. Refunds by the operator do not count. Raises: NotFound (not theirs), Conflict.
"""

from __future__ import annotations

import logging
from datetime import datetime

import msgspec

from models.access.grants import Grants
from models.billing.entitlement import Entitlement
from models.billing.provider.stripe_api import StripeRefused, StripeUnavailable
from models.billing.refunds import Refunds
from models.clock import Clock
from models.currencies import amount_text
from models.errors import Conflict, NotFound
from models.messages import JsonStruct, instant
from models.postgres.database import Db, Transaction
from models.settings.config import Config

logger = logging.getLogger(__name__)
WORDS = (
    "I ask for access to begin at once. I know that I can withdraw and get my money back until I use it for "
    "the first time: until my first connected call, or until a friend joins with my code."
)
OFTEN = "You have taken back {most} payments within a year. A friend's invite code still lets you in."
LATER = "The payment provider is not answering. You get your money back as soon as it does."
USED = "You have used your access already, so you can no longer withdraw from this purchase."


class WithdrawalMessage(JsonStruct, frozen=True, kw_only=True):
    """One item of `GET /withdrawal`."""

    payment_id: str
    paid_at: str
    amount_cents: int
    currency: str
    is_withdrawable: bool
    withdrawn_at: str | None = None


class Purchase(msgspec.Struct, frozen=True):
    """A payment made with the information about the right to withdraw."""

    payment_id: str
    paid_at: datetime
    amount_cents: int
    currency: str
    withdrawn_at: datetime | None
    is_refunded: bool
    is_disputed: bool
    is_used: bool

    @property
    def is_withdrawable(self) -> bool:
        return self.problem is None and self.withdrawn_at is None

    @property
    def problem(self) -> str | None:
        """Why it cannot be withdrawn from."""
        if self.is_refunded:
            return "This payment has been refunded already."
        if self.is_disputed:
            return "Your bank is deciding about this payment, or has taken it back."
        return USED if self.is_used and self.withdrawn_at is None else None

    @property
    def amount_text(self) -> str:
        return amount_text(self.amount_cents, self.currency)

    def as_json(self) -> WithdrawalMessage:
        return WithdrawalMessage(
            payment_id=self.payment_id,
            paid_at=instant(self.paid_at),
            amount_cents=self.amount_cents,
            currency=self.currency,
            is_withdrawable=self.is_withdrawable,
            withdrawn_at=instant(self.withdrawn_at) if self.withdrawn_at else None,
        )


class Withdrawals:
    def __init__(
        self, db: Db, clock: Clock, config: Config, grants: Grants, entitlement: Entitlement, refunds: Refunds
    ) -> None:
        self._db, self._clock, self._config = db, clock, config
        self._grants, self._entitlement, self._refunds = grants, entitlement, refunds
        self._sql = db.statements("billing.withdrawals")

    async def of(self, user_id: str, *, on: Transaction | None = None) -> list[Purchase]:
        """The newest first."""
        return await self._sql.all("of_user", Purchase, on=on, user_id=user_id)

    async def withdraw(self, user_id: str, payment_id: str) -> None:
        """Withdraws from a purchase. A repeated request changes nothing."""
        async with self._db.transaction() as on:
            await self._grants.lock(user_id, on=on)
            own = [one for one in await self.of(user_id, on=on) if one.payment_id == payment_id]
            if not own:
                raise NotFound
            if own[0].withdrawn_at is not None:
                return
            if (problem := own[0].problem) is not None:
                raise Conflict(problem)
            await self._sql.run("withdraw", on=on, attempt_id=payment_id, now=self._clock.frozen)
            change = await self._entitlement.work_out(payment_id, user_id, on=on)
            # The code is stopped now: a friend who joined in the meantime is seen, a later one is refused.
            if any(one.is_used for one in await self.of(user_id, on=on) if one.payment_id == payment_id):
                raise Conflict(USED)
        self._grants.publish(change)
        await self._refund(payment_id)

    async def _refund(self, payment_id: str) -> None:
        """Now, if possible; otherwise the sweep does it."""
        try:
            await self._refunds.refund(await self._refunds.find(payment_id))
        except (Conflict, StripeRefused, StripeUnavailable):
            logger.warning("A withdrawal is refunded later", extra={"attempt_id": payment_id})

    async def refund_extra(self, user_id: str, payment_id: str, *, stops_code: bool) -> None:
        """Refunds a payment that was not needed, within the year's limit. The caller has checked it. With
        `stops_code` no friend can join with the buyer's code from now on, unless the refund is refused or
        fails. What Stripe has not answered, also because this process ended, is repeated by the sweep.
        """
        async with self._db.transaction() as on:
            await self._grants.lock(user_id, on=on)
            values = {"attempt_id": payment_id, "most": self._config.refunds_per_year}
            if not await self._sql.run("ask_back", on=on, now=self._clock.frozen, **values):
                raise Conflict(OFTEN.format(most=self._config.refunds_per_year))
            if stops_code:
                await self._entitlement.stop_code(user_id, on=on)
                if await self._sql.value("has_invited", on=on, user_id=user_id):
                    raise Conflict(USED)
        try:
            await self._refunds.refund(await self._refunds.find(payment_id))
        except StripeUnavailable as problem:
            raise StripeUnavailable(LATER) from problem
        except (Conflict, StripeRefused):
            async with self._db.transaction() as on:
                await self._grants.lock(user_id, on=on)
                await self._entitlement.keep(payment_id, on=on)
                change = await self._entitlement.work_out(payment_id, user_id, on=on)
            self._grants.publish(change)
            raise

    async def check_may_pay(self, user_id: str, *, on: Transaction) -> None:
        """Raises: Conflict after too many refunds. The caller holds the lock of the user's access."""
        asked = await self._sql.value("asked_back", on=on, user_id=user_id, now=self._clock.frozen)
        if asked >= max(1, self._config.refunds_per_year):
            raise Conflict(OFTEN.format(most=asked))
