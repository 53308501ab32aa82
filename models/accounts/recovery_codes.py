"""Recovery codes: eight for each account, each valid once.

Only the hash of a code is stored (`models.security.tokens`). The codes are returned when they are
made and cannot be read later. A new set replaces the old one.
"""

from __future__ import annotations

from models.access.typed_codes import code_in
from models.clock import Clock
from models.errors import Invalid
from models.ids import new_code
from models.postgres.database import Db, Transaction
from models.security.tokens import hash_of

HOW_MANY = 8
FAULT = "A recovery code has 16 letters and digits, like 8GZK-2M4T-V0QX-71WA."


class RecoveryCodes:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._clock = clock
        self._sql = db.statements("accounts.accounts")

    async def renew(self, user_id: str, *, on: Transaction) -> list[str]:
        """Replaces the set. Returns the codes in groups of four: `8GZK-2M4T-V0QX-71WA`."""
        codes = [new_code() for _ in range(HOW_MANY)]
        await self.drop(user_id, on=on)
        hashes = [hash_of(code) for code in codes]
        await self._sql.run("add_codes", on=on, user_id=user_id, hashes=hashes, now=self._clock.frozen)
        return [spaced(code) for code in codes]

    async def drop(self, user_id: str, *, on: Transaction) -> None:
        """Ends the set."""
        await self._sql.run("drop_codes", on=on, user_id=user_id)

    async def left(self, user_id: str) -> int:
        return int(await self._sql.value("codes_left", user_id=user_id))

    async def use(self, user_id: str, code: str, *, on: Transaction) -> bool:
        """Uses a code in the form of `plain`. True the first time only."""
        values = {"user_id": user_id, "code_hash": hash_of(code), "now": self._clock.frozen}
        return await self._sql.run("use_code", on=on, **values) == 1


def plain(typed: str) -> str:
    """Parses a typed code. Raises: Invalid (`code`)."""
    code = code_in(typed)
    if code is None:
        raise Invalid(code=FAULT)
    return code


def spaced(code: str) -> str:
    return "-".join(code[at : at + 4] for at in range(0, 16, 4))
