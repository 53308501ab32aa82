"""Checkouts: attempts to pay the one-time fee, and their status.

An attempt is written before Stripe is called. A user has at most one open checkout. Webhook events arrive in
`models.billing.webhook`, are applied by `models.billing.fulfillment` and `models.billing.reversals`, and
`models.billing.provider.sandbox` replaces Stripe when there is no key.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from models import messages
from models.access.grants import Grants
from models.access.invite_codes import InviteCodes
from models.billing.entitlement import Entitlement, LostBy
from models.billing.polling import Polling
from models.billing.provider import sandbox, stripe_api
from models.billing.provider.payment_provider import PaymentProvider
from models.billing.provider.stripe_api import StripeRefused, StripeUnavailable
from models.billing.provider.stripe_types import Checkout
from models.billing.refunds import Refunds
from models.billing.webhook import StripeWebhook
from models.billing.withdrawals import WORDS, Withdrawals
from models.clock import Clock
from models.errors import Conflict, Invalid, NotFound, Unavailable
from models.ids import new_id
from models.messages import JsonStruct
from models.postgres.database import Db
from models.settings.config import Config

REUSE_HOURS = 23
PAID = "You have paid already. You are in."
IN = "You are in already. There is nothing to pay."


class OfferedCheckout(JsonStruct, frozen=True, kw_only=True):
    """`POST /payment/create-checkout`."""

    checkout_url: str
    session_id: str


class CheckoutStatus(JsonStruct, frozen=True, kw_only=True):
    """`GET /payment-success`."""

    access: str
    invite_code: str | None = None
    uses_remaining: int | None = None


class Status(msgspec.Struct, frozen=True):
    """A checkout's status: `pending` until it is settled, `review` while an admin looks at the payment of a
    user without access; else the user's access and own code. `lost_by` is the reason why it does not grant
    access. `is_processing`: it is pending because the payment method takes days.
    """

    access: messages.Access | Literal["pending", "review"]
    lost_by: LostBy | None = None
    invite_code: str | None = None
    uses_remaining: int | None = None
    invite_url: str | None = None
    is_processing: bool = False

    def as_json(self) -> CheckoutStatus:
        return CheckoutStatus(
            access=self.access, invite_code=self.invite_code, uses_remaining=self.uses_remaining
        )


class Checkouts:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        config: Config,
        grants: Grants,
        invite_codes: InviteCodes,
        provider: PaymentProvider,
        entitlement: Entitlement,
        late: Polling | None,
        webhook: StripeWebhook,
        refunds: Refunds,
        withdrawals: Withdrawals,
    ) -> None:
        self._db, self._clock, self._config = db, clock, config
        self._grants, self._invite_codes, self._entitlement = grants, invite_codes, entitlement
        self._stripe, self._page, self._kind = provider.stripe, provider.page, provider.kind
        self._late, self._webhook, self._refunds = late, webhook, refunds
        self._withdrawals = withdrawals
        self._sql = db.statements("billing.checkouts")

    # -- paying --

    async def create_checkout(self, user_id: str, *, start_now: bool = False) -> OfferedCheckout:
        """The open checkout, or a new one. `start_now`: the buyer has agreed to the words about an immediate
        start and withdrawal. Raises: Invalid (`startNow` is needed), Conflict (has access, or too many
        refunds), Unavailable.
        """
        if self._config.consumer_law == "eu" and not start_now:
            raise Invalid(startNow="Please confirm this first.")
        if self._stripe is None and self._page is None:
            raise Unavailable(
                "Payments are not set up on this site. A friend's invite code still lets you in."
            )
        checkout = await self._attempt(user_id)
        if checkout.checkout_url is None:
            checkout = await self._offer(checkout)
        assert checkout.checkout_url is not None
        assert checkout.session_id is not None
        return OfferedCheckout(checkout_url=checkout.checkout_url, session_id=checkout.session_id)

    async def _attempt(self, user_id: str) -> Checkout:
        """The user's open attempt, created if there is none. A double click gets the same one."""
        values = {
            "user_id": user_id,
            "kind": self._kind,
            "amount_cents": self._config.price_cents,
            "currency": self._config.currency,
            "now": self._clock.frozen,
        }
        async with self._db.transaction() as on:
            await self._grants.lock(user_id, on=on)
            if (access := await self._grants.of(user_id, on=on)) != "unpaid":
                raise Conflict(PAID if access == "paid" else IN)
            await self._withdrawals.check_may_pay(user_id, on=on)
            await self._sql.run("close_stale", on=on, reuse_hours=REUSE_HOURS, **values)
            await self._sql.run("begin", on=on, attempt_id=new_id(), **values)
            found = await self._sql.one("find_open", Checkout, on=on, user_id=user_id)
            assert found is not None
            if self._config.consumer_law == "eu":
                told = {"attempt_id": found.attempt_id, "words": WORDS, "now": self._clock.frozen}
                await self._sql.run("ask_start", on=on, **told)
        return found

    async def _offer(self, checkout: Checkout) -> Checkout:
        session_id, url = await self._new_session(checkout)
        offered = await self._sql.one(
            "offer", Checkout, attempt_id=checkout.attempt_id, session_id=session_id, checkout_url=url
        )
        assert offered is not None
        return offered

    async def _new_session(self, checkout: Checkout) -> tuple[str, str]:
        if self._stripe is None:
            assert self._page is not None
            session_id = sandbox.new_session_id()
            return session_id, self._page.url(session_id)
        try:
            session = await self._stripe.create(checkout)
        except StripeRefused:
            await self._sql.run("give_up", attempt_id=checkout.attempt_id, now=self._clock.frozen)
            raise
        if not session.url:
            raise StripeUnavailable
        return session.id, session.url

    # -- status --

    async def status(self, user_id: str, session_id: str) -> Status:
        """The status for the checkout's owner. If no webhook has arrived, Stripe is queried. Raises:
        NotFound.
        """
        checkout = await self._get_own(user_id, session_id)
        if checkout.state == "open" and self._late is not None and await self._late.look(checkout):
            checkout = await self._get_own(user_id, session_id)
        access = await self._grants.of(user_id)
        if checkout.state == "open" and access != "paid":
            is_processing = await self._sql.value("is_processing", attempt_id=checkout.attempt_id)
            return Status("pending", is_processing=is_processing)
        lost_by = await self._entitlement.lost_by(checkout.attempt_id)
        if lost_by == "review" and access == "unpaid":
            return Status("review", lost_by)
        own = await self._invite_codes.find_own(user_id)
        if own is None or own.stopped:
            return Status(access, lost_by)
        return Status(access, lost_by, own.code, own.uses_remaining, own.invite_url)

    async def _get_own(self, user_id: str, session_id: str) -> Checkout:
        found = await self._sql.one("find_own", Checkout, session_id=session_id, user_id=user_id)
        if found is None:
            raise NotFound
        return found

    async def sweep(self) -> int:
        """Queries Stripe about a few unsettled checkouts, then refunds payments that arrived for deleted
        users.

        Returns the number of queries.
        """
        await self._sql.run("close_forgotten", kind=self._kind, now=self._clock.frozen)
        asked = 0 if self._late is None else await self._late.sweep()
        await self._refunds.sweep(self._kind)
        return asked

    async def is_paid(self, session_id: str) -> bool | None:
        """For a browser that comes back from the payment without a session; None for an unknown checkout. It
        tells nothing about the payer.
        """
        found: bool | None = await self._sql.value("is_paid", session_id=session_id)
        return found

    # -- the test checkout --

    async def get_test_checkout(self, user_id: str, session_id: str) -> Checkout:
        """A test checkout, for its owner, while the test checkout is served. Raises: NotFound."""
        checkout = await self._get_own(user_id, session_id)
        if self._page is None or checkout.kind != "page":
            raise NotFound
        return checkout

    async def play(self, user_id: str, session_id: str, *, is_paid: bool) -> None:
        """Sends the signed event that Stripe would send. A settled checkout does not change."""
        checkout = await self.get_test_checkout(user_id, session_id)
        if checkout.state == "open" and self._page is not None:
            payload = sandbox.event(checkout, is_paid=is_paid)
            await self._webhook.receive(payload, stripe_api.sign(payload, await self._page.secret()))
