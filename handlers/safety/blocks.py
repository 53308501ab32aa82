"""POST and DELETE /block: from a card, a ring, a call, its summary or the history."""

from __future__ import annotations

import msgspec

from handlers.base.handler import BaseHandler
from handlers.http.redirects import is_own_path


class BlockForm(msgspec.Struct, rename="camel"):
    """`undo` replaces DELETE in forms. `next` is the page to return to."""

    user_id: str
    undo: bool = False
    next: str = ""


class BlockHandler(BaseHandler):
    async def post(self) -> None:
        member = self.allowed(access=False, selfie=False)
        form = self.read(BlockForm)
        change = self.models.blocks.unblock if form.undo else self.models.blocks.block
        await change(member.user_id, form.user_id)
        self._done(form)

    async def delete(self) -> None:
        """`userId` in the body or in the query."""
        member = self.allowed(access=False, selfie=False)
        named = self.get_query_argument("userId", None)
        form = BlockForm(named, undo=True) if named else self.read(BlockForm)
        await self.models.blocks.unblock(member.user_id, form.user_id)
        self._done(form)

    def _done(self, form: BlockForm) -> None:
        if not self.is_page:
            return self.nothing()
        back = form.next if is_own_path(form.next) else "/room"
        if self.is_htmx:
            is_blocked = not form.undo
            return self.page(
                "safety/blocks/_block.html", user_id=form.user_id, is_blocked=is_blocked, back=back
            )
        return self.go(back)
