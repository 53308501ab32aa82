"""Report reviews. Attachments are shown on request only, and each view is logged."""

from __future__ import annotations

from handlers.base.file_response import FileHandler
from handlers.console.base import ConsoleHandler
from models.errors import Invalid, NotFound
from models.ids import is_id
from models.safety.moderation import Decision
from models.safety.report_reviews import Report


class ReportQueueHandler(ConsoleHandler):
    """GET /admin/reports?after=: open reports, one page after the given one."""

    async def get(self) -> None:
        after = self.get_query_argument("after", "")
        if after and not is_id(after):
            raise Invalid(after="This is not the id of a report.")
        last = await self.models.report_reviews.get(after) if after else None
        self.show("console/reports/page.html", reports=await self.models.report_reviews.queue(last))


class ReportReviewHandler(ConsoleHandler):
    """GET, POST /admin/reports/ID."""

    async def get(self, report_id: str) -> None:
        await self._show(await self.models.report_reviews.shown(report_id, self.who().staff_id))

    async def post(self, report_id: str) -> None:
        try:
            decision = self.read(Decision)
            await self.models.moderation.on_report(report_id, self.who().staff_id, decision)
        except Invalid as problem:
            return await self._show(await self.models.report_reviews.get(report_id), problem)
        return self.done("/admin/reports")

    async def _show(self, report: Report, problem: Invalid | None = None) -> None:
        about = await self.models.report_reviews.about(report.reported_id)
        bans = await self.models.bans.of_user(report.reported_id)
        call = await self.models.members.call(report.call_id) if report.call_id else None
        additions = await self.models.report_reviews.additions(report.report_id)
        self.show(
            "console/reports/report.html",
            problem=problem,
            report=report,
            about=about,
            bans=bans,
            call=call,
            additions=additions,
        )


class EvidenceHandler(ConsoleHandler):
    """GET /admin/reports/ID/evidence: the attached chat lines, and which media the report holds."""

    async def get(self, report_id: str) -> None:
        lines = await self.models.report_reviews.shown_lines(report_id, self.who().staff_id)
        report = await self.models.report_reviews.get(report_id)
        self.show(
            "console/reports/evidence.html",
            fragment="console/reports/_evidence.html",
            report=report,
            lines=lines,
            media=await self.models.report_reviews.media(report_id),
        )


class StillHandler(ConsoleHandler):
    """A picture of the evidence. `?as=preview`: in 16 by 16 pixels, which is not logged."""

    @property
    def is_preview(self) -> bool:
        return self.get_query_argument("as", "") == "preview"

    def send_picture(self, picture: bytes) -> None:
        self.set_header("Content-Type", "image/jpeg")
        self.set_header("Cache-Control", "no-store")
        self.finish(picture)


class FrameHandler(StillHandler):
    """GET /admin/reports/ID/frame.jpg?number=&as=: an attached picture, from 0."""

    async def get(self, report_id: str) -> None:
        number = self.get_query_argument("number", "0")
        if not number.isascii() or not number.isdigit() or len(number) > 2:
            raise NotFound
        reviews, who = self.models.report_reviews, self.who().staff_id
        if self.is_preview:
            return self.send_picture(await reviews.frame_preview(report_id, int(number)))
        return self.send_picture(await reviews.shown_frame(report_id, int(number), who))


class HeldMediaHandler(FileHandler, StillHandler):
    """GET /admin/reports/ID/media/MEDIA?as=: a selfie or an intro video that the report holds; `as=frame`: a
    picture of the video.
    """

    async def get(self, report_id: str, media_id: str) -> None:
        reviews, who = self.models.report_reviews, self.who().staff_id
        if self.is_preview:
            return self.send_picture(await reviews.preview(report_id, media_id))
        if self.get_query_argument("as", "") == "frame":
            return self.send_picture(await reviews.shown_still(report_id, media_id, who))
        return await self.answer(await reviews.shown_media(report_id, media_id, who), "no-store")
