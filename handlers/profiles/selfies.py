"""Upload of selfies."""

from __future__ import annotations

from handlers.base.uploads import UploadHandler
from handlers.http.redirects import STEPS
from models.accounts.sign_up import next_step
from models.errors import Invalid, Problem, TooLarge, UnsupportedMedia
from models.messages import media_url
from models.profiles.selfies import MOST_BYTES
from models.profiles.uploads import Uploads
from models.security.member import Member


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
