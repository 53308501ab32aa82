"""Checkouts: the way to the payment page, and the return from it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from handlers.base.handler import BaseHandler
from models.errors import Invalid


class CheckoutRequest(msgspec.Struct, rename="camel"):
    start_now: bool = False


class CreateCheckoutHandler(BaseHandler):
    """POST /payment/create-checkout: redirects to the payment page."""

    async def post(self) -> None:
        member = self.allowed(access=False, selfie=False, terms=True, age=True)
        form = self.read(CheckoutRequest)
        try:
            checkout = await self.models.checkouts.create_checkout(member.user_id, start_now=form.start_now)
        except Invalid as problem:
            context = {"invite": None, "cancelled": False, "lost_by": None}
            page, fragment = "access/paywall/page.html", "access/paywall/_paywall.html"
            return self.form_again(problem, page, fragment=fragment, **context)
        if self.is_page:
            return self.go(checkout.checkout_url)
        return self.json(checkout)


class PaymentSuccessHandler(BaseHandler):
    """GET /payment-success?session_id=: the status of a checkout, for its owner. A browser without a session
    sees whether the payment was made, and how to get in.
    """

    def initialize(self) -> None:
        super().initialize()
        self._shown: dict[str, object] = {}

    async def get(self) -> None:
        session_id = self.get_query_argument("session_id", "")
        if self.is_page and self.member is None and self.refusal is None:
            is_paid = await self.models.checkouts.is_paid(session_id)
            if is_paid is not None:
                return self.page("billing/payment_success/elsewhere.html", is_paid=is_paid)
        member = self.allowed(access=False, selfie=False)
        status = await self.models.checkouts.status(member.user_id, session_id)
        if not self.is_page:
            return self.json(status.as_json())
        if status.access != "pending":
            self.member = msgspec.structs.replace(member, access=status.access)
        user = await self.models.users.get(member.user_id)
        has_extra = await self.models.receipts.has_extra(member.user_id)
        more = {"successful_calls": user.successful_calls, "has_extra": has_extra}
        self._shown = {"session_id": session_id, "status": status} | more
        return self.page("billing/payment_success/page.html", fragment="billing/payment_success/_status.html")

    def page_context(self, context: Mapping[str, object]) -> dict[str, object]:
        """Overrides `status` with the checkout's; the default is the HTTP status."""
        return super().page_context(context) | self._shown
