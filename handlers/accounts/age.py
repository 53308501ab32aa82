"""/age: the check of a member's age by a provider, and the way back from it."""

from __future__ import annotations

from typing import Any

from handlers.accounts.sign_up import remember_too_young
from handlers.base import cookies
from handlers.base.handler import BaseHandler
from handlers.http.redirects import STEPS
from models.accounts.age_gate import TOO_YOUNG_BY_PROVIDER
from models.accounts.age_proofs import AgeAnswer
from models.accounts.age_provider import AgeCheckFailed
from models.accounts.sign_up import next_step
from models.errors import NotAllowed, NotFound, Problem, Unavailable
from models.security.member import Member

# Where a check that had no result begins again.
NOT_YET = "Your age is not checked yet"
AGAIN = {"back_href": "/age", "back_text": "Back to the age check"}


class AgeHandler(BaseHandler):
    """GET /age: what is asked of whom, with the way to the provider."""

    is_private = True

    def unproven(self) -> Member:
        """A member who has to prove their age here. Raises: NotFound without a provider."""
        if not self.config.asks_age_proof:
            raise NotFound
        return self.allowed(access=False, selfie=False, terms=True)

    async def get(self) -> None:
        member = self.unproven()
        proof = await self.models.age_proofs.find(member.user_id)
        if not self.is_page:
            return self.json(
                {"isProven": proof is not None, "provider": self.models.age_proofs.provider.issuer}
            )
        if member.is_age_proven:
            return self.go(STEPS[next_step(member)])
        return self.page("accounts/age/page.html", provider=self.models.age_proofs.provider.name)

    def show_problem(self, problem: Problem) -> None:
        """A check without a result keeps the way back."""
        if not isinstance(problem, AgeCheckFailed | Unavailable):
            return super().show_problem(problem)
        told: dict[str, Any] = {"status": problem.status, "problem": problem, "title": NOT_YET} | AGAIN
        return self.page("public/errors/page.html", fragment="public/errors/_error.html", **told)


class AgeStartHandler(AgeHandler):
    """GET /age/start: to the provider. A link, because a form may not lead to another site (CSP)."""

    async def get(self) -> None:
        member = self.unproven()
        url = await self.models.age_proofs.begin(member.user_id)
        if not self.is_page:
            return self.json({"authorizeUrl": url})
        return self.go(url)


class AgeReturnHandler(AgeHandler):
    """GET /age/return: back from the provider, with `state` and `code` or `error`."""

    async def get(self) -> None:
        member = self.unproven()
        state, code, error = (self.get_query_argument(name, "") for name in ("state", "code", "error"))
        answer = await self.models.age_proofs.finish(member.user_id, state, code, error)
        if answer is AgeAnswer.TOO_YOUNG:
            return await self._too_young(member)
        if not self.is_page:
            return self.json({"isProven": True})
        return self.go(STEPS[next_step(member)])

    async def _too_young(self, member: Member) -> None:
        """A guest without access is deleted; others keep what they have paid for, and may not go on."""
        if member.access == "unpaid" and not member.is_account:
            await self.models.deletions.delete(member.user_id)
            if self.is_page:
                cookies.sign_out(self)
        if not self.is_page:
            raise NotAllowed(TOO_YOUNG_BY_PROVIDER)
        remember_too_young(self)
        return self.go("/too-young")
