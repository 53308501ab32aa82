"""Links that confirm an e-mail address.

The token is a keyed digest of the user and the address (`models.security.site_secret`): nothing is stored, it
stays valid as long as the address is the user's, and only who reads the mailbox knows it.
"""

from __future__ import annotations

import base64
import hmac

from models.security.site_secret import SiteSecret
from models.settings.config import Config

PURPOSE = "email confirmation"


class EmailConfirmations:
    def __init__(self, secret: SiteSecret, config: Config) -> None:
        self._secret, self._base_url = secret, config.base_url

    async def url(self, user_id: str, email_key: str) -> str:
        return f"{self._base_url}/confirm/{user_id}?token={await self.token(user_id, email_key)}"

    async def token(self, user_id: str, email_key: str) -> str:
        digest = await self._secret.digest(PURPOSE, f"{user_id} {email_key}")
        return base64.urlsafe_b64encode(digest[:24]).decode()

    async def fits(self, token: str, user_id: str, email_key: str) -> bool:
        known = await self.token(user_id, email_key)
        return hmac.compare_digest(token.encode(errors="replace"), known.encode())
