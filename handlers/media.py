"""Selfies in, pictures out."""

from __future__ import annotations

from tornado.httputil import HTTPInputError, HTTPServerRequest, parse_body_arguments
from tornado.web import stream_request_body

from handlers.media_answers import MediaAnswer
from handlers.onboarding import STEPS
from handlers.uploads import UploadHandler
from models.errors import BadRequest, Invalid, NotFound, Problem, TooLarge, UnsupportedMedia
from models.media import MediaFile
from models.members import Member, media_url
from models.selfies import MOST_BYTES
from models.sign_up import next_step

# The form around the picture: boundaries, part headers, the XSRF token.
MOST_BODY = MOST_BYTES + 64 * 1024
DAY = 24 * 3600


@stream_request_body
class SelfieHandler(UploadHandler):
    """POST /media/selfie: multipart, one file named `selfie`."""

    most_body, most_drained = MOST_BODY, 4 * MOST_BODY
    # 8 MB over a poor mobile network.
    slowest_seconds = 180

    def initialize(self) -> None:
        super().initialize()
        self._body = bytearray()

    async def prepare(self) -> None:
        await super().prepare()
        if self.request.method == "POST":
            self.allowed(access=False, selfie=False)
            refuse_early(self.request)

    def data_received(self, chunk: bytes) -> None:
        """Of a body that did not say its length, the answer comes as soon as it is too long."""
        if not self._finished and len(self._body) + len(chunk) > MOST_BODY:
            self._body.clear()
            self.send_error(413)
        elif not self._finished:
            self._body += chunk

    async def post(self) -> None:
        if self.is_over:
            return None
        member = self.signed_in()
        try:
            data = self._file()
            media_id = await self.models.selfies.save(member.user_id, data)
        except (Invalid, TooLarge, UnsupportedMedia) as problem:
            return self._form_again(problem)
        return self._saved(member, media_id)

    def _file(self) -> bytes:
        self._parse()
        self._is_whole = True
        self.check_xsrf_cookie()
        files = self.request.files.get("selfie", [])
        return files[-1].body if files else b""

    def _parse(self) -> None:
        kind, arguments = self.request.headers["Content-Type"], self.request.body_arguments
        try:
            parse_body_arguments(kind, bytes(self._body), arguments, self.request.files, self.request.headers)
        except HTTPInputError as error:
            raise BadRequest("The form could not be read.") from error
        self._body.clear()
        for name, values in arguments.items():
            self.request.arguments.setdefault(name, []).extend(values)

    def _saved(self, member: Member, media_id: str) -> None:
        if not self.is_page:
            return self.json({"selfieUrl": media_url(media_id)}, 201)
        if member.selfie_id is not None:
            return self.go("/settings")
        return self.go(STEPS[next_step(member.with_selfie(media_id))])

    def _form_again(self, problem: Problem) -> None:
        """htmx swaps only a 422; of the others it shows the words."""
        if not isinstance(problem, Invalid) and self.is_htmx:
            raise problem
        problem.fields = problem.fields or {"selfie": problem.message}
        self.form_again(
            problem, "onboarding/page.html", fragment="onboarding/_selfie.html", step="selfie", invite=None
        )


def refuse_early(request: HTTPServerRequest) -> None:
    """Before the body: what says of itself that it is too large, or no form."""
    if int(request.headers.get("Content-Length", "0")) > MOST_BODY:
        raise TooLarge("A photo may have 8 MB at most.")
    if not request.headers.get("Content-Type", "").startswith("multipart/form-data"):
        raise UnsupportedMedia("Send the photo as multipart/form-data, in the field selfie.")


class MediaHandler(MediaAnswer):
    """GET /media/<mediaId>: for those who may see the person; everybody else gets what a random id gets."""

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
