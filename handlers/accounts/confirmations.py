"""Confirmation of e-mail addresses."""

from __future__ import annotations

import msgspec

from handlers.base.handler import BaseHandler
from models.accounts.confirmations import EmailToConfirm


class ConfirmForm(msgspec.Struct):
    token: str = ""


class ConfirmHandler(BaseHandler):
    """GET /confirm/ID?token=: a page with a button, from an e-mail; POST confirms the address."""

    is_private = True

    async def get(self, user_id: str) -> None:
        token = self.get_query_argument("token", "")
        self._show(user_id, token, await self.models.confirmations.of_link(user_id, token))

    async def post(self, user_id: str) -> None:
        token = self.read(ConfirmForm).token
        found = await self.models.confirmations.confirm(user_id, token)
        if not self.is_page:
            return self.nothing()
        return self._show(user_id, token, msgspec.structs.replace(found, is_confirmed=True))

    def _show(self, user_id: str, token: str, found: EmailToConfirm) -> None:
        names = "accounts/confirmations/page.html", "accounts/confirmations/_confirm.html"
        self.page(names[0], fragment=names[1], user_id=user_id, token=token, found=found)


class SendConfirmationHandler(BaseHandler):
    """POST /settings/confirm-email: sends the link again."""

    async def post(self) -> None:
        member = self.allowed(access=False, selfie=False)
        await self.models.confirmations.send(member.user_id, self.address)
        return self.go("/settings?saved=confirm") if self.is_page else self.nothing()
