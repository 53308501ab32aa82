"""Second factors: six digits that change every 30 seconds (TOTP, RFC 6238).

The only module that imports pyotp. The secret is derived from the site's secret and a seed made at enrolment,
so the database alone gives away no code. One step before and after the current one is accepted, for clocks
that differ slightly. `models.console.staff` stores the steps that were used.
"""

from __future__ import annotations

import base64

import pyotp
from pyotp.utils import strings_equal

from models.clock import Clock
from models.security.site_secret import SiteSecret

PURPOSE, ISSUER = "totp", "Napalm Sky"
STEP_SECONDS, SECRET_BYTES, SKEW = 30, 20, 1


class SecondFactors:
    def __init__(self, clock: Clock, secret: SiteSecret) -> None:
        self._clock, self._secret = clock, secret

    async def secret(self, seed: str) -> str:
        """The secret for the authenticator app, in base32: 160 bits, as RFC 4226 recommends."""
        return base64.b32encode((await self._secret.digest(PURPOSE, seed))[:SECRET_BYTES]).decode()

    async def uri(self, seed: str, name: str) -> str:
        """`otpauth://…`, for the QR code."""
        return pyotp.TOTP(await self.secret(seed)).provisioning_uri(name=name, issuer_name=ISSUER)

    async def step_of(self, seed: str, typed: str) -> int | None:
        """The time step of the digits, near the current one, or None if they are wrong."""
        digits = "".join(typed.split())
        now = int(self._clock.now().timestamp()) // STEP_SECONDS
        totp = pyotp.TOTP(await self.secret(seed))
        good = [
            step
            for step in range(now - SKEW, now + SKEW + 1)
            if strings_equal(totp.at(step * STEP_SECONDS), digits)
        ]
        return good[-1] if good else None
