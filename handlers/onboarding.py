"""The steps of signing up: a page each, resumed at the first that is missing."""

from __future__ import annotations

from urllib.parse import urlencode

from handlers.base import BaseHandler
from models.sign_up import next_step


class OnboardingHandler(BaseHandler):
    """GET /onboarding, with `?inviteCode=` from a friend's QR code and `?step=selfie` to take a new one."""

    async def get(self) -> None:
        code = self.get_query_argument("inviteCode", None)
        step = next_step(self.member)
        if step == "profile":
            return await self._profile(code)
        member = self.allowed(access=False, selfie=False)
        if code and member.access == "unpaid":
            return self.go("/paywall?" + urlencode({"inviteCode": code}))
        if step == "selfie" or self.get_query_argument("step", None) == "selfie":
            return self.page("onboarding/page.html", step="selfie", invite=None)
        return self.go(STEPS[step])

    async def _profile(self, code: str | None) -> None:
        if self.refusal is not None:
            raise self.refusal
        invited = await self.models.sign_up.invitation(code, self.address)
        self.page("onboarding/page.html", step="profile", invite=invited.preview, refusal=invited.refusal)


# Where each step of `next_step` happens.
STEPS = {"profile": "/onboarding", "selfie": "/onboarding", "access": "/paywall", "done": "/room"}
