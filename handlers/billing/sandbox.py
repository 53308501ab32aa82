"""The page of the test checkout. It replaces Stripe while there is no key, and states that it is a test."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlencode

import msgspec

from handlers.base.handler import BaseHandler
from models.errors import NotFound
from models.security.member import Member


class CheckoutForm(msgspec.Struct):
    action: Literal["pay", "cancel"]


class SandboxHandler(BaseHandler):
    """GET, POST /test-checkout/<session id>, for the checkout's owner, while the test checkout is served."""

    async def get(self, session_id: str) -> None:
        member = self._member()
        checkout = await self.models.checkouts.get_test_checkout(member.user_id, session_id)
        if checkout.state != "open":
            return self._settled(session_id)
        return self.page("billing/sandbox/page.html", session_id=session_id)

    async def post(self, session_id: str) -> None:
        member = self._member()
        is_paid = self.read(CheckoutForm).action == "pay"
        await self.models.checkouts.play(member.user_id, session_id, is_paid=is_paid)
        if is_paid:
            return self._settled(session_id)
        return self.go("/paywall?cancelled=1")

    def _member(self) -> Member:
        """The member. Raises: NotFound while the test checkout is not served."""
        if not self.config.has_test_checkout:
            raise NotFound
        return self.allowed(access=False, selfie=False)

    def _settled(self, session_id: str) -> None:
        self.go("/payment-success?" + urlencode({"session_id": session_id}))
