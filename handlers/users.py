"""What somebody may know and change of themselves."""

from __future__ import annotations

import msgspec

from handlers.base import BaseHandler
from handlers.settings import show_profile_again
from models.errors import Invalid
from models.members import Member


class MeForm(msgspec.Struct, rename="camel"):
    """What is left out stays as it is."""

    name: str | None = None
    gender: str | None = None


class MeHandler(BaseHandler):
    """GET, PATCH /user/me, and POST for the form of the settings page."""

    async def get(self) -> None:
        self.json(await self.models.users.me(self._member()))

    async def patch(self) -> None:
        await self._update(self._member())
        self.json(await self.models.users.me(self._member()))

    async def post(self) -> None:
        try:
            self.member = await self._update(self._member())
        except Invalid as problem:
            return await show_profile_again(self, problem)
        if not self.is_page:
            return self.json(await self.models.users.me(self.member))
        return self._saved()

    def _member(self) -> Member:
        return self.allowed(access=False, selfie=False)

    async def _update(self, member: Member) -> Member:
        form = self.read(MeForm)
        user = await self.models.users.update(member.user_id, name=form.name, gender=form.gender)
        return msgspec.structs.replace(member, name=user.name, gender=user.gender)

    def _saved(self) -> None:
        if self.is_htmx:
            return self.page("settings/_profile.html")
        return self.go("/settings")
