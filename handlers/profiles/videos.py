"""Upload and removal of intro videos."""

from __future__ import annotations

from handlers.base.handler import BaseHandler
from handlers.base.uploads import UploadHandler
from handlers.profiles.settings import settings_context
from models.errors import Invalid, Problem, TooLarge, UnsupportedMedia
from models.messages import media_url
from models.profiles.uploads import Uploads
from models.profiles.videos import MOST_BYTES


class VideoHandler(UploadHandler):
    """POST /media/video: multipart, one file named `video`. DELETE removes it."""

    field, most_bytes = "video", MOST_BYTES
    too_large, missing = "A video may have at most 50 MB.", "Record or choose a video first."
    # 50 MB over a slow mobile network.
    slowest_seconds = 600

    @property
    def uploads(self) -> Uploads:
        return self.models.videos.uploads

    async def post(self) -> None:
        if self.is_over:
            return None
        member = self.signed_in()
        try:
            media_id = await self.models.videos.save(member.user_id, self.received())
        except (Invalid, TooLarge, UnsupportedMedia) as problem:
            return await self._form_again(problem)
        if not self.is_page:
            return self.json({"videoUrl": media_url(media_id)}, 201)
        return self.go("/settings?saved=video#settings-video")

    async def delete(self) -> None:
        await self.models.videos.remove(self.allowed(access=False, selfie=False).user_id)
        self.nothing()

    async def _form_again(self, problem: Problem) -> None:
        """htmx swaps in only a 422; for other errors it shows the message."""
        if not isinstance(problem, Invalid) and self.is_htmx:
            raise problem
        problem.fields = problem.fields or {"video": problem.message}
        context = {"form": "video", **await settings_context(self)} if self.is_page else {}
        self.form_again(
            problem, "profiles/settings/page.html", fragment="profiles/settings/_video.html", **context
        )


class RemoveVideoHandler(BaseHandler):
    """POST /media/video/remove: as DELETE, for forms."""

    async def post(self) -> None:
        await self.models.videos.remove(self.allowed(access=False, selfie=False).user_id)
        if not self.is_page:
            return self.nothing()
        if self.is_htmx:
            return self.page("profiles/settings/_video.html", **await settings_context(self))
        return self.go("/settings")
