"""/removals/ID: why one's selfie or intro video was removed, and the appeal."""

from __future__ import annotations

import msgspec

from handlers.base.handler import BaseHandler
from models.errors import Invalid
from models.messages import instant
from models.safety.decisions.clauses import clause_of
from models.safety.decisions.removals import Removal

PAGE, FRAGMENT = "safety/removals/page.html", "safety/removals/_removal.html"


class RemovalAppealForm(msgspec.Struct):
    text: str = ""


class OwnRemovalHandler(BaseHandler):
    """GET /removals/ID, POST /removals/ID (the appeal): for its owner only."""

    async def get(self, removal_id: str) -> None:
        member = self.allowed(access=False, selfie=False)
        removal = await self.models.decisions.removals.own(removal_id, member.user_id)
        if not self.is_page:
            return self.json(self._wire(removal))
        return self.page(PAGE, fragment=FRAGMENT, removal=removal)

    async def post(self, removal_id: str) -> None:
        member = self.allowed(access=False, selfie=False)
        form = self.read(RemovalAppealForm)
        try:
            await self.models.decisions.removal_appeals.file(removal_id, member.user_id, form.text)
        except Invalid as problem:
            if not self.is_page:
                raise
            removal = await self.models.decisions.removals.own(removal_id, member.user_id)
            return self.form_again(problem, PAGE, fragment=FRAGMENT, removal=removal)
        if not self.is_page:
            return self.json({}, 201)
        return self.go(f"/removals/{removal_id}")

    def _wire(self, removal: Removal) -> dict[str, object]:
        """`{kind, rule, clause, reason, removedAt, isSettled, filedAt, verdict, reply}`."""
        return {
            "kind": removal.kind,
            "rule": removal.rule,
            "clause": clause_of(removal.rule, self.config).text,
            "reason": removal.reason,
            "removedAt": instant(removal.removed_at),
            "isSettled": removal.settled_at is not None,
            "filedAt": instant(removal.appealed_at) if removal.appealed_at else None,
            "verdict": removal.verdict,
            "reply": removal.reply,
        }
