"""Members as staff see them: search, page, and removal of selfies and videos."""

from __future__ import annotations

import msgspec

from handlers.base.file_response import FileHandler
from handlers.console.base import ConsoleHandler
from models.console.members import MemberPage
from models.errors import Invalid
from models.safety.marks import ReturningUser
from models.safety.moderation import Decision
from models.safety.report_reviews import Report


class RemovalForm(msgspec.Struct, rename="camel"):
    kind: str = ""
    media_id: str = ""
    reason: str = ""
    rule: str = "other"


class PeopleHandler(ConsoleHandler):
    """GET /admin/people?q=: search by id, e-mail address or a part of the name."""

    async def get(self) -> None:
        query = self.get_query_argument("q", "")
        found = await self.models.members.search(query, self.who().staff_id)
        self.show("console/members/page.html", query=query, people=found)


class PersonHandler(ConsoleHandler):
    """GET, POST /admin/people/ID: the member's page; POST bans without a report."""

    async def get(self, user_id: str) -> None:
        await self._show(await self.models.members.shown(user_id, self.who().staff_id))

    async def post(self, user_id: str) -> None:
        try:
            decision = self.read(Decision)
            await self.models.moderation.on_person(user_id, self.who().staff_id, decision)
        except Invalid as problem:
            return await self._show(await self.models.members.get(user_id), problem)
        return self.done(f"/admin/people/{user_id}")

    async def _show(self, person: MemberPage, problem: Invalid | None = None) -> None:
        models, user_id = self.models, person.user_id
        self.show(
            "console/members/member.html",
            problem=problem,
            person=person,
            bans=await models.bans.of_user(user_id),
            about=await models.report_reviews.about(user_id),
            by=await models.report_reviews.by(user_id),
            removals=await models.decisions.removals.all_of(user_id),
            flags=await models.screening.flags_of(user_id),
            returning=await self._returning(user_id),
            calls=await models.members.calls(user_id),
            brought=await models.members.brought(user_id),
            payments=await models.receipts.of(user_id) if self.who().is_admin else None,
            grants=await models.member_access.of(user_id) if self.who().is_admin else None,
        )

    async def _returning(self, user_id: str) -> list[tuple[ReturningUser, list[Report]]]:
        """Deleted and banned users who may be this one, with the reports about them."""
        found = await self.models.marks.of(user_id)
        return [(one, await self.models.report_reviews.about(one.user_id)) for one in found]


class PersonMediaHandler(FileHandler, ConsoleHandler):
    """GET /admin/people/ID/selfie.jpg, video: the media of the card."""

    async def get(self, user_id: str, kind: str) -> None:
        shown = await self.models.members.on_card(user_id, "video" if kind == "video" else "selfie")
        await self.answer(shown, "no-store")


class RemovalHandler(ConsoleHandler):
    """POST /admin/people/ID/remove: removes the selfie or the video."""

    async def post(self, user_id: str) -> None:
        form = self.read(RemovalForm)
        values = form.kind, form.media_id, self.who().staff_id, form.reason, form.rule
        await self.models.decisions.removals.remove(user_id, *values)
        return self.done(f"/admin/people/{user_id}")
