"""Sign-up of guests, and upgrade of a guest to an account."""

from __future__ import annotations

import msgspec

from handlers.accounts.credentials import hand_over_codes
from handlers.base import cookies
from handlers.base.application import SiteHandler
from handlers.base.handler import BaseHandler
from handlers.profiles.settings import settings_context
from models.accounts.age_gate import TOO_YOUNG
from models.errors import Conflict, Invalid, NotAllowed, Problem
from models.security.sessions import SignedIn

TOO_YOUNG_COOKIE = "too-young"


class GuestForm(msgspec.Struct, rename="camel"):
    """Missing fields count as empty, so that every fault is reported at once."""

    name: str = ""
    gender: str = ""
    adult: bool = False
    invite_code: str | None = None
    introduce: str | None = None
    birth_date: str | None = None
    # The version that the form showed.
    terms_version: str | None = None


class UpgradeForm(msgspec.Struct, rename="camel"):
    email: str = ""
    password: str = ""


class GuestHandler(BaseHandler):
    """POST /auth/guest: JSON gets the token, a browser gets the cookie and the next step."""

    async def post(self) -> None:
        if self.member is not None and self.is_page:
            return self.go("/onboarding")
        try:
            refuse_too_young(self)
            signed_in = await self._sign_up(self.read(GuestForm))
        except Invalid as problem:
            return await self._form_again(problem)
        except NotAllowed:
            return self._too_young()
        return self._welcome(signed_in)

    async def _sign_up(self, form: GuestForm) -> SignedIn:
        return await self.models.sign_up.guest(
            form.name,
            form.gender,
            adult=form.adult,
            invite_code=form.invite_code,
            address=self.address,
            introduce=form.introduce,
            birth_date=form.birth_date,
            terms_version=form.terms_version,
        )

    def _too_young(self) -> None:
        if not self.is_page:
            raise NotAllowed(TOO_YOUNG)
        remember_too_young(self)
        return self.go("/too-young")

    def _welcome(self, signed_in: SignedIn) -> None:
        if not self.is_page:
            return self.json(signed_in.as_json(), 201)
        cookies.sign_in(self, signed_in.token)
        return self.go("/onboarding")

    async def _form_again(self, problem: Invalid) -> None:
        """Reports an invite code that does not work and leaves it out of the form, so that the next try
        succeeds.
        """
        invite, introduce = None, self.sent().get("introduce") or ""
        introduction = await self.models.introductions.find(str(introduce)) if introduce else None
        context = {"step": "profile", "introduction": introduction, "introduce": introduce}
        if self.is_page and "inviteCode" not in (problem.fields or {}):
            code = self.sent().get("inviteCode")
            invite = (await self.models.sign_up.invitation(code, self.address)).preview
        self.form_again(
            problem,
            "accounts/onboarding/page.html",
            fragment="accounts/onboarding/_form.html",
            invite=invite,
            **context,
        )


class UpgradeHandler(BaseHandler):
    """POST /auth/upgrade: turns the guest into an account holder.

    A browser is redirected to the recovery codes.
    """

    async def post(self) -> None:
        member = self.allowed(access=False, selfie=False)
        form = self.read(UpgradeForm)
        try:
            upgraded = await self.models.accounts.upgrade(member, form.email, form.password, self.address)
        except (Conflict, Invalid) as problem:
            return await self._form_again(problem)
        await self.models.confirmations.send_first(member.user_id, self.address)
        if not self.is_page:
            return self.json(upgraded.as_json())
        cookies.sign_in(self, upgraded.signed_in.token)
        hand_over_codes(self, upgraded.recovery_codes)
        return self.go("/settings/recovery-codes")

    async def _form_again(self, problem: Problem) -> None:
        if not problem.fields:
            raise problem
        context = {"form": "keep", **await settings_context(self)}
        self.form_again(
            problem, "profiles/settings/page.html", fragment="profiles/settings/_keep.html", **context
        )


def remember_too_young(handler: SiteHandler) -> None:
    """Marks the browser, which may come back from another address."""
    days = handler.application.config.age_refusal_hours / 24
    handler.set_cookie(TOO_YOUNG_COOKIE, "1", expires_days=days, **cookies.attributes(handler))


def refuse_too_young(handler: SiteHandler) -> None:
    """Raises: NotAllowed."""
    if handler.application.config.minimum_age_check != "confirm" and handler.get_cookie(TOO_YOUNG_COOKIE):
        raise NotAllowed(TOO_YOUNG)
