"""Intro videos in, and away again."""

from __future__ import annotations

from typing import BinaryIO

from tornado.httputil import HTTPServerRequest
from tornado.web import stream_request_body

from handlers.base import BaseHandler
from handlers.multipart import parts_of
from handlers.settings import settings_context
from handlers.uploads import UploadHandler
from models.errors import Invalid, Problem, TooLarge, UnsupportedMedia
from models.file_parts import Part
from models.members import media_url
from models.videos import MOST_BYTES

# The form around the video: boundaries, part headers, the XSRF token.
MOST_BODY = MOST_BYTES + 64 * 1024
TOO_LARGE = "A video may have 50 MB at most."


@stream_request_body
class VideoHandler(UploadHandler):
    """POST /media/video: multipart, one file named `video`, received into a file. DELETE takes it away."""

    most_body, most_drained = MOST_BODY, 2 * MOST_BODY
    # 50 MB over a poor mobile network.
    slowest_seconds = 600

    def initialize(self) -> None:
        super().initialize()
        self._body: BinaryIO | None = None
        self._size = 0

    async def prepare(self) -> None:
        await super().prepare()
        if self.request.method == "POST":
            member = self.allowed(access=False, selfie=False)
            refuse_early(self.request)
            self._body = self.models.videos.open_upload(member.user_id)

    def data_received(self, chunk: bytes) -> None:
        """Of a body that did not say its length, the answer comes as soon as it is too long."""
        self._size += len(chunk)
        if self.is_over or self._body is None:
            return
        if self._size > self.most_body:
            self.send_error(413)
        else:
            self._body.write(chunk)

    async def post(self) -> None:
        if self.is_over:
            return None
        member = self.signed_in()
        try:
            media_id = await self.models.videos.save(member.user_id, self._file())
        except (Invalid, TooLarge, UnsupportedMedia) as problem:
            return await self._form_again(problem)
        if not self.is_page:
            return self.json({"videoUrl": media_url(media_id)}, 201)
        return self.go("/settings?saved=video#settings-video")

    async def delete(self) -> None:
        await self.models.videos.remove(self.allowed(access=False, selfie=False).user_id)
        self.nothing()

    def _file(self) -> Part:
        """The part named `video`. Raises BadRequest, Invalid, TooLarge, and HTTPError for a missing token."""
        assert self._body is not None
        parts = parts_of(self._body, self.request.headers["Content-Type"])
        if "_xsrf" in parts:
            self.request.arguments["_xsrf"] = [parts["_xsrf"].read(200)]
        self._is_whole = True
        self.check_xsrf_cookie()
        if "video" not in parts:
            raise Invalid(video="Record or choose a video first.")
        if parts["video"].size > MOST_BYTES:
            raise TooLarge(TOO_LARGE)
        return parts["video"]

    async def _form_again(self, problem: Problem) -> None:
        """htmx swaps only a 422; of the others it shows the words."""
        if not isinstance(problem, Invalid) and self.is_htmx:
            raise problem
        problem.fields = problem.fields or {"video": problem.message}
        context = {"form": "video", **await settings_context(self)} if self.is_page else {}
        self.form_again(problem, "settings/page.html", fragment="settings/_video.html", **context)

    def on_finish(self) -> None:
        super().on_finish()
        if self._body is not None:
            self.models.videos.close_upload(self._body)


class RemoveVideoHandler(BaseHandler):
    """POST /media/video/remove: what DELETE does, for forms."""

    async def post(self) -> None:
        await self.models.videos.remove(self.allowed(access=False, selfie=False).user_id)
        if not self.is_page:
            return self.nothing()
        if self.is_htmx:
            return self.page("settings/_video.html", **await settings_context(self))
        return self.go("/settings")


def refuse_early(request: HTTPServerRequest) -> None:
    """Before the body: what says of itself that it is too large, or no form."""
    if int(request.headers.get("Content-Length", "0")) > MOST_BODY:
        raise TooLarge(TOO_LARGE)
    if not request.headers.get("Content-Type", "").startswith("multipart/form-data"):
        raise UnsupportedMedia("Send the video as multipart/form-data, in the field video.")
