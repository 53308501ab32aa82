"""Proofs of age from a provider: which user is over 18, by whose word, since when. Nothing else is stored.

A check begins with a row that holds what must come back (state, nonce, PKCE verifier). It belongs to the user
who began it, counts once, and ends after an hour: a proof cannot be made by another person's answer. Raises:
NotFound (no such check of this user), AgeCheckFailed, Unavailable.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import Enum

import msgspec

from models.accounts.age_provider import AgeCheckFailed, AgeProvider
from models.clock import Clock
from models.errors import NotFound
from models.postgres.database import Db
from models.security.tokens import hash_of
from models.settings.config import Config

HOURS = 1
DENIED = "you did not agree at the provider."
GONE = "This age check is over. Begin a new one."


class Begun(msgspec.Struct, frozen=True):
    """A check that has begun."""

    nonce: str
    verifier: str


class AgeProof(msgspec.Struct, frozen=True):
    provider: str
    proven_at: datetime


class AgeAnswer(Enum):
    ADULT = "adult"
    TOO_YOUNG = "too young"


class AgeProofs:
    def __init__(self, db: Db, clock: Clock, config: Config) -> None:
        self._clock, self.provider = clock, AgeProvider(config)
        self._sql = db.statements("accounts.age_proofs")

    async def begin(self, user_id: str) -> str:
        """The provider's address for this user's browser. Raises: Unavailable."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        url = await self.provider.authorize_url(state, nonce, verifier)
        values = {"state_hash": hash_of(state), "nonce": nonce, "verifier": verifier}
        await self._sql.run("begin", on=None, user_id=user_id, **values, now=self._clock.frozen)
        return url

    async def finish(self, user_id: str, state: str, code: str, error: str) -> AgeAnswer:
        """Takes what the browser brought back, once."""
        values = {"state_hash": hash_of(state), "user_id": user_id, "hours": HOURS}
        begun = await self._sql.one("take", Begun, on=None, **values, now=self._clock.frozen)
        if begun is None:
            raise NotFound(GONE)
        if error or not code:
            raise AgeCheckFailed(DENIED if error == "access_denied" else "the provider ended it.")
        if not await self.provider.is_adult(code, begun.nonce, begun.verifier):
            return AgeAnswer.TOO_YOUNG
        proof = {"provider": self.provider.issuer, "now": self._clock.frozen}
        await self._sql.run("prove", on=None, user_id=user_id, **proof)
        return AgeAnswer.ADULT

    async def find(self, user_id: str) -> AgeProof | None:
        return await self._sql.one("find", AgeProof, user_id=user_id)

    async def close(self) -> None:
        await self.provider.close()
