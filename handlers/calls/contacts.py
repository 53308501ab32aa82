"""/calls/<id>/contacts: whether to share the member's handles. The answer does not show the peer's choice."""

from __future__ import annotations

import msgspec

from handlers.base.handler import BaseHandler


class ContactsForm(msgspec.Struct, rename="camel"):
    yes: bool


class ContactsHandler(BaseHandler):
    async def post(self, call_id: str) -> None:
        member = self.allowed(access=False, selfie=False)
        call = await self.models.calls.get_own(call_id, member.user_id)
        await self.models.contacts.say(call, member.user_id, is_yes=self.read(ContactsForm).yes)
        if not self.is_page:
            return self.nothing()
        if self.is_htmx:
            page = await self.models.call_pages.of(call_id, member.user_id)
            sharing = self.models.contacts.sharing(page)
            return self.page("calls/contacts/_contacts.html", sharing=sharing)
        return self.go(f"/calls/{call_id}")
