"""The steps of sign-up: one page each, resumed at the first missing step."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from handlers.base.handler import BaseHandler
from handlers.http.redirects import STEPS
from models.accounts.age_gate import TOO_YOUNG
from models.accounts.sign_up import next_step
from models.room.introductions import GONE


class OnboardingHandler(BaseHandler):
    """GET /onboarding, with `?inviteCode=` from a QR code, `?introduce=` from an introduction link, and
    `?step=selfie` to take a new selfie.
    """

    async def get(self) -> None:
        code = self.get_query_argument("inviteCode", None)
        introduce = self.get_query_argument("introduce", "")[:100]
        step = next_step(self.member)
        if step == "profile":
            return await self._profile(code, introduce)
        member = self.allowed(access=False, selfie=False, terms=True, age=True)
        if introduce:
            return await self._introduced(introduce, code)
        if code and member.access == "unpaid":
            return self.go("/paywall?" + urlencode({"inviteCode": code}))
        if step == "selfie" or self.get_query_argument("step", None) == "selfie":
            removed = await self.models.decisions.removals.of(member.user_id)
            return self.page("accounts/onboarding/page.html", step="selfie", invite=None, removed=removed)
        return self.go(STEPS[step])

    async def _introduced(self, token: str, code: str | None) -> None:
        """Asks a signed-in member to confirm the introduction: the visit alone changes nothing."""
        found = await self.models.introductions.find(token)
        shown: dict[str, Any] = {"found": found, "words": GONE, "introduce": token, "code": code or ""}
        return self.page("room/introductions/accept.html", **shown)

    async def _profile(self, code: str | None, introduce: str) -> None:
        if self.refusal is not None:
            raise self.refusal
        invited = await self.models.sign_up.invitation(code, self.address)
        found = await self.models.introductions.find(introduce) if introduce else None
        refusal = invited.refusal or (GONE if introduce and not found else None)
        shown: dict[str, Any] = {
            "invite": invited.preview,
            "refusal": refusal,
            "introduction": found,
            "introduce": introduce,
        }
        self.page("accounts/onboarding/page.html", step="profile", **shown)


class TooYoungHandler(BaseHandler):
    """GET /too-young: for visitors who said that they are under 18."""

    def get(self) -> None:
        self.page("accounts/onboarding/too_young.html", words=TOO_YOUNG)
