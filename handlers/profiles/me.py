"""The member's own profile: read and change."""

from __future__ import annotations

from typing import Any

import msgspec

from handlers.base.handler import BaseHandler
from handlers.profiles.settings import settings_context, show_profile_again
from models.errors import Invalid
from models.profiles.handles import NETWORKS
from models.profiles.users import Me
from models.security.member import Member


class MeForm(msgspec.Struct, rename="camel"):
    """Fields that are left out stay as they are."""

    name: str | None = None
    gender: str | None = None
    handles: dict[str, str | None] | None = None


def handles_of(fields: dict[str, Any]) -> dict[str, str | None] | None:
    """The handles in the form of the settings page, which has a field for each network."""
    found: dict[str, str | None] = {
        network: str(fields[network]) for network in NETWORKS if network in fields
    }
    return found or None


class MeHandler(BaseHandler):
    """GET, PATCH /user/me; POST for the form of the settings page."""

    async def get(self) -> None:
        self.json(await self._json(self._member()))

    async def patch(self) -> None:
        await self._update(self._member())
        self.json(await self._json(self._member()))

    async def post(self) -> None:
        try:
            self.member = await self._update(self._member())
        except Invalid as problem:
            return await show_profile_again(self, problem, form=self._form)
        if not self.is_page:
            return self.json(await self._json(self.member))
        return await self._saved()

    def _member(self) -> Member:
        return self.allowed(access=False, selfie=False)

    async def _json(self, member: Member) -> Me:
        removed = await self.models.decisions.removals.of(member.user_id)
        bodies = [one.json for one in removed.values()] or None
        return msgspec.structs.replace(await self.models.users.me(member), removed=bodies)

    async def _update(self, member: Member) -> Member:
        form = self.read(MeForm)
        handles = form.handles or handles_of(self.sent())
        user = await self.models.users.update(
            member.user_id, name=form.name, gender=form.gender, handles=handles
        )
        return msgspec.structs.replace(member, name=user.name, gender=user.gender)

    @property
    def _form(self) -> str:
        return "handles" if handles_of(self.sent()) else "profile"

    async def _saved(self) -> None:
        if self.is_htmx and self._form == "handles":
            return self.page("profiles/settings/_handles.html", **await settings_context(self))
        if self.is_htmx:
            return self.page("profiles/settings/_profile.html")
        return self.go("/settings")
