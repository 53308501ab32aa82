"""Staff accounts, for admins: list, add, change roles, disable, reset."""

from __future__ import annotations

import msgspec

from handlers.console.base import AdminHandler
from models.errors import Conflict, Invalid
from models.security.audit_log import why


class NewStaffForm(msgspec.Struct):
    name: str = ""
    role: str = ""
    reason: str = ""


class StaffForm(msgspec.Struct):
    action: str = ""
    role: str = ""
    reason: str = ""


class StaffPageHandler(AdminHandler):
    async def show_all(
        self, problem: Invalid | None = None, *, link: str | None = None, status: int = 200
    ) -> None:
        everybody = await self.models.staff.all()
        self.show("console/staff.html", problem=problem, status=status, people=everybody, link=link)


class StaffHandler(StaffPageHandler):
    """GET, POST /admin/staff: an enrolment link is shown once, in the response to the POST."""

    async def get(self) -> None:
        await self.show_all()

    async def post(self) -> None:
        form = self.read(NewStaffForm)
        try:
            url = await self.models.staff.add(form.name, form.role, self.who().staff_id, why(form.reason))
        except Invalid as problem:
            return await self.show_all(problem)
        except Conflict as problem:
            return await self.show_all(Invalid(name=problem.message))
        return await self.show_all(link=url, status=201)


class StaffMemberHandler(StaffPageHandler):
    """POST /admin/staff/ID: `action` = role, disable or reset."""

    async def post(self, staff_id: str) -> None:
        form, who = self.read(StaffForm), self.who().staff_id
        reason = why(form.reason)
        if form.action == "reset":
            return await self.show_all(link=await self.models.staff.reset(staff_id, who, reason))
        if form.action == "disable":
            await self.models.staff.disable(staff_id, who, reason)
        elif form.action == "role":
            await self.models.staff.set_role(staff_id, form.role, who, reason)
        else:
            raise Invalid(action="Choose role, disable or reset.")
        return self.done("/admin/staff")
