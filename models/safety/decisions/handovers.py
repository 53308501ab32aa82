"""Appeals handed to the operator by e-mail, if no other moderator can decide them.

The link of the e-mail needs no session. Its token is derived from the decision's id and the site's secret;
only an appeal that was handed over can be decided with it, once. The operator has no staff id.
"""

from __future__ import annotations

import base64
import hmac
from typing import Literal

from models.errors import NotFound
from models.ids import is_id
from models.security.site_secret import SiteSecret

Subject = Literal["ban", "removal"]
PURPOSE = "appeal handed over"


class Handovers:
    def __init__(self, secret: SiteSecret) -> None:
        self._secret = secret

    async def path(self, subject: Subject, about_id: str) -> str:
        return f"/appeals/{subject}/{about_id}/{await self._token(subject, about_id)}"

    async def check(self, subject: Subject, about_id: str, token: str) -> None:
        """Raises: NotFound."""
        if not is_id(about_id) or not hmac.compare_digest(
            (await self._token(subject, about_id)).encode(), token.encode()
        ):
            raise NotFound("This link does not lead to an appeal. Copy all of it.")

    async def _token(self, subject: Subject, about_id: str) -> str:
        digest = await self._secret.digest(PURPOSE, f"{subject} {about_id}")
        return base64.urlsafe_b64encode(digest[:24]).decode()
