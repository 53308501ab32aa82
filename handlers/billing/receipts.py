"""What a user has paid, and refunds of extra payments."""

from __future__ import annotations

import msgspec

from handlers.base.handler import BaseHandler


class RefundForm(msgspec.Struct, rename="camel"):
    payment_id: str


class ReceiptsHandler(BaseHandler):
    async def show(self) -> None:
        member = self.allowed(access=False, selfie=False)
        receipts = await self.models.receipts.of(member.user_id)
        if not self.is_page:
            return self.json({"payments": [receipt.as_json() for receipt in receipts]})
        return self.page(
            "billing/receipts/page.html", fragment="billing/receipts/_list.html", receipts=receipts
        )


class ReceiptHandler(ReceiptsHandler):
    """GET /receipt."""

    async def get(self) -> None:
        await self.show()


class RefundHandler(ReceiptsHandler):
    """POST /receipt/refund: refunds an extra payment to the user who paid it."""

    async def post(self) -> None:
        member = self.allowed(access=False, selfie=False)
        await self.models.receipts.refund_own(member.user_id, self.read(RefundForm).payment_id)
        if self.is_page and not self.is_htmx:
            return self.go("/receipt")
        return await self.show()
