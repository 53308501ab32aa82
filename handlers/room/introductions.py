"""Introductions: making a link to a user, and accepting one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec

from handlers.base.handler import BaseHandler
from handlers.http.redirects import STEPS
from models.accounts.sign_up import next_step
from models.errors import Conflict, NotFound
from models.messages import instant
from models.room.introductions import IntroductionLink


class IntroductionLinkForm(msgspec.Struct, rename="camel"):
    user_id: str


class AcceptForm(msgspec.Struct, rename="camel"):
    introduce: str = ""
    invite_code: str = ""


class IntroductionsHandler(BaseHandler):
    """POST /introductions: a link to the user of a card. GET `?userId=`: the existing link."""

    async def get(self) -> None:
        member, person_id = self.allowed(), self.get_query_argument("userId", "")
        link = await self.models.introductions.find_link(member.user_id, person_id)
        if link is None:
            raise NotFound
        await self._show(link, 200)

    async def post(self) -> None:
        member = self.allowed()
        person_id = self.read(IntroductionLinkForm).user_id
        link = await self.models.introductions.make_link(member.user_id, person_id)
        if self.is_page:
            return self.go("/introductions?" + urlencode({"userId": person_id}))
        return await self._show(link, 201)

    async def _show(self, link: IntroductionLink, status: int) -> None:
        found = await self.models.introductions.find(link.token)
        if found is None:
            raise NotFound
        url = await self._url(link)
        if self.is_page:
            shown: dict[str, Any] = {"name": found.person_name, "url": url, "until": link.expires_at}
            return self.page("room/introductions/page.html", **shown)
        return self.json({"introduceUrl": url, "expiresAt": instant(link.expires_at)}, status)

    async def _url(self, link: IntroductionLink) -> str:
        """With the introducer's invite code while it has uses left, so that the friend need not pay."""
        own = await self.models.invite_codes.find_own(self.signed_in().user_id)
        has_uses = own is not None and not own.stopped and own.uses_remaining != 0
        code = {"inviteCode": own.code} if own is not None and has_uses else {}
        return f"{self.config.base_url}/onboarding?" + urlencode({"introduce": link.token} | code)


class AcceptIntroductionHandler(BaseHandler):
    """POST /introductions/accept: a member accepts an introduction."""

    async def post(self) -> None:
        member = self.allowed(access=False, selfie=False)
        form = self.read(AcceptForm)
        try:
            found = await self.models.introductions.accept(form.introduce, member.user_id)
        except (Conflict, NotFound) as problem:
            if not self.is_page:
                raise
            shown: dict[str, Any] = {"found": None, "words": problem.message}
            return self.page("room/introductions/accept.html", status=problem.status, **shown)
        if not self.is_page:
            return self.json({"introducedTo": await self.models.users.person(found.person_id)})
        if form.invite_code and member.access == "unpaid":
            return self.go("/onboarding?" + urlencode({"inviteCode": form.invite_code}))
        return self.go(STEPS[next_step(member)])
