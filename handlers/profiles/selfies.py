"""Upload of selfies, and download of media."""

from __future__ import annotations

from handlers.base.file_response import MediaAnswer
from handlers.base.uploads import UploadHandler
from handlers.http.redirects import STEPS
from models.accounts.sign_up import next_step
from models.errors import Invalid, NotFound, Problem, TooLarge, UnsupportedMedia
from models.profiles.media import MediaFile
from models.profiles.selfies import MOST_BYTES
from models.profiles.uploads import Uploads
from models.security.member import Member, media_url

DAY = 24 * 3600


class SelfieHandler(UploadHandler):
    """POST /media/selfie: multipart, one file named `selfie`."""

    field, most_bytes = "selfie", MOST_BYTES
    too_large, missing = "A photo may have at most 8 MB.", "Choose a photo first."
    # 8 MB over a slow mobile network.
    slowest_seconds = 180

    @property
    def uploads(self) -> Uploads:
        return self.models.selfies.uploads

    async def post(self) -> None:
        if self.is_over:
            return None
        member = self.signed_in()
        try:
            media_id = await self.models.selfies.save(member.user_id, self.received())
        except (Invalid, TooLarge, UnsupportedMedia) as problem:
            return self._form_again(problem)
        return self._saved(member, media_id)

    def _saved(self, member: Member, media_id: str) -> None:
        if not self.is_page:
            return self.json({"selfieUrl": media_url(media_id)}, 201)
        if member.selfie_id is not None:
            return self.go("/settings")
        return self.go(STEPS[next_step(member.with_selfie(media_id))])

    def _form_again(self, problem: Problem) -> None:
        """htmx swaps in only a 422; for other errors it shows the message."""
        if not isinstance(problem, Invalid) and self.is_htmx:
            raise problem
        problem.fields = problem.fields or {"selfie": problem.message}
        self.form_again(
            problem,
            "accounts/onboarding/page.html",
            fragment="accounts/onboarding/_selfie.html",
            step="selfie",
            invite=None,
        )


class MediaHandler(MediaAnswer):
    """GET /media/<mediaId>: for members who may see the owner; for others the same 404 as an unknown id."""

    is_counted = False

    async def get(self, media_id: str) -> None:
        await self.answer(await self._file(media_id), f"private, max-age={DAY}, immutable")

    async def _file(self, media_id: str) -> MediaFile:
        viewer = self.member
        if viewer is None or viewer.is_banned:
            raise NotFound
        file = await self.models.media.find(media_id, viewer.user_id)
        if file is None:
            raise NotFound
        return file
