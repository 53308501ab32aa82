"""Second factors: six digits that change every 30 seconds (TOTP, RFC 6238). The one door to pyotp.

Keeps no secret: it is worked out from the site's secret and a seed that is made at enrolment, so that the
database alone gives no code away. Promises that one step before and after the present is good (a clock may be
off a little); which steps were used already, `models.staff` keeps.
"""

from __future__ import annotations

import base64

import pyotp
from pyotp.utils import strings_equal

from models.clock import Clock
from models.site_secret import SiteSecret

PURPOSE, ISSUER = "totp", "Napalm Sky"
STEP_SECONDS, SECRET_BYTES, SKEW = 30, 20, 1


class SecondFactors:
    def __init__(self, clock: Clock, secret: SiteSecret) -> None:
        self._clock, self._secret = clock, secret

    async def secret(self, seed: str) -> str:
        """What goes into the app, in base32: 160 bits, as RFC 4226 recommends."""
        return base64.b32encode((await self._secret.digest(PURPOSE, seed))[:SECRET_BYTES]).decode()

    async def uri(self, seed: str, name: str) -> str:
        """`otpauth://…`, for the QR code."""
        return pyotp.TOTP(await self.secret(seed)).provisioning_uri(name=name, issuer_name=ISSUER)

    async def step_of(self, seed: str, typed: str) -> int | None:
        """The step that these digits belong to, near the present; None when they are wrong."""
        digits = "".join(typed.split())
        now = int(self._clock.now().timestamp()) // STEP_SECONDS
        totp = pyotp.TOTP(await self.secret(seed))
        good = [
            step
            for step in range(now - SKEW, now + SKEW + 1)
            if strings_equal(totp.at(step * STEP_SECONDS), digits)
        ]
        return good[-1] if good else None
