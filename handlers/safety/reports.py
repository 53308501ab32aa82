"""/report: the form on its own page, and the endpoint of all report forms."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import urlencode

import msgspec

from handlers.base.handler import BaseHandler
from handlers.http.redirects import safe
from models.errors import Invalid, NotFound
from models.ids import is_id
from models.safety.reports import NewReport


class ReportForm(msgspec.Struct, rename="camel"):
    """`frame` is a picture in Base64 (RFC 4648), as a data: URL or without its prefix. An empty one without
    consent is no picture. Without `user_id`, the report is about the other user of the call.
    """

    user_id: str = ""
    reason: str = ""
    call_id: str | None = None
    text: str | None = None
    message_ids: tuple[str, ...] = ()
    frame: str | None = None
    frame_consent: bool = False
    next: str = ""

    def as_new(self) -> NewReport:
        return NewReport(
            user_id=self.user_id,
            reason=self.reason,
            text=self.text or "",
            call_id=self.call_id or None,
            message_ids=self.message_ids,
            frame=self._picture(),
            has_consent=self.frame_consent,
        )

    def _picture(self) -> bytes | None:
        if self.frame is None or not (self.frame or self.frame_consent):
            return None
        return picture(self.frame)


class ReportHandler(BaseHandler):
    """GET /report?userId=&callId=, POST /report."""

    async def get(self) -> None:
        self.allowed(access=False, selfie=False)
        about = await self._about(
            self.get_query_argument("userId", ""), self.get_query_argument("callId", "")
        )
        back = self.get_query_argument("next", "")
        self.page(
            "safety/reports/page.html", fragment="safety/reports/_report.html", back=safe(back), **about
        )

    async def post(self) -> None:
        member = self.allowed(access=False, selfie=False)
        form = self.read(ReportForm)
        # Reporters at one address are one party, also those who never opened a socket.
        await self.models.address_bans.saw(member.user_id, self.address)
        try:
            reference = await self.models.reports.file(member, form.as_new())
        except Invalid as problem:
            return await self._form_again(problem, form)
        if not self.is_page:
            return self.json({"reference": reference}, 201)
        return self.go("/reports?" + urlencode({"next": safe(form.next)}))

    def sent(self) -> dict[str, Any]:
        """The fields as sent; of a form, with every selected message."""
        fields = super().sent()
        if not self._sent_json and "messageIds" in fields:
            fields["messageIds"] = self.get_body_arguments("messageIds")
        return fields

    async def _form_again(self, problem: Invalid, form: ReportForm) -> None:
        if not self.is_page:
            raise problem
        about = await self._about(form.user_id, form.call_id or "")
        back = {"back": safe(form.next)}
        self.form_again(
            problem, "safety/reports/page.html", fragment="safety/reports/_report.html", **back, **about
        )

    async def _about(self, user_id: str, call_id: str) -> dict[str, Any]:
        """The reported user's name and the chat lines, only for a call of the member. Raises: NotFound."""
        if not is_id(user_id or call_id) or (call_id and not is_id(call_id)):
            raise NotFound
        about: dict[str, Any] = {"user_id": user_id, "call_id": call_id, "person": None, "lines": []}
        if call_id:
            own_id = self.signed_in().user_id
            call = await self.models.calls.get_own(call_id, own_id)
            if user_id not in ("", call.peer_of(own_id)):
                raise NotFound("There is no such call of yours.")
            user_id = about["user_id"] = call.peer_of(own_id)
            about["person"] = await self.models.users.person(user_id)
            about["lines"] = await self.models.chat.of_call(call_id)
        return about


class OwnReportsHandler(BaseHandler):
    """GET /reports?next=: one's own reports, with their references and outcomes."""

    async def get(self) -> None:
        member = self.allowed(access=False, selfie=False)
        reports = await self.models.decisions.own_reports.of(member.user_id)
        if not self.is_page:
            return self.json({"reports": [one.json for one in reports]})
        back = safe(self.get_query_argument("next", "") or "/settings")
        return self.page("safety/reports/own.html", reports=reports, back=back)


def picture(text: str) -> bytes:
    """The decoded picture. Raises: Invalid (`frame`)."""
    try:
        return base64.b64decode(text.rpartition(",")[2], validate=True)
    except (ValueError, binascii.Error) as error:
        raise Invalid(frame="The picture could not be read.") from error
