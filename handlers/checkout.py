"""The test checkout's page: it plays Stripe's part while there is no key, and says so."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlencode

import msgspec

from handlers.base import BaseHandler
from models.errors import NotFound
from models.members import Member


class CheckoutForm(msgspec.Struct):
    action: Literal["pay", "cancel"]


class TestCheckoutHandler(BaseHandler):
    """GET, POST /test-checkout/<session id>: for the checkout's owner only, and only while it is served."""

    __test__ = False  # not a test, whatever its name

    async def get(self, session_id: str) -> None:
        member = self._member()
        checkout = await self.models.payments.get_test_checkout(member.user_id, session_id)
        if checkout.state != "open":
            return self._settled(session_id)
        return self.page("checkout/page.html", session_id=session_id)

    async def post(self, session_id: str) -> None:
        member = self._member()
        is_paid = self.read(CheckoutForm).action == "pay"
        await self.models.payments.play(member.user_id, session_id, is_paid=is_paid)
        if is_paid:
            return self._settled(session_id)
        return self.go("/paywall?cancelled=1")

    def _member(self) -> Member:
        """Where it is not served there is nothing, for anybody."""
        if not self.config.has_test_checkout:
            raise NotFound
        return self.allowed(access=False, selfie=False)

    def _settled(self, session_id: str) -> None:
        self.go("/payment-success?" + urlencode({"session_id": session_id}))
