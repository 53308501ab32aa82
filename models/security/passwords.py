"""Passwords: hashed, compared, and judged. The one door to bcrypt and to zxcvbn.

Stateless but for its queue. bcrypt sees base64(SHA-256(NFC, UTF-8)), so that no byte of a long password is
cut off. Hashing happens on one thread, in rotation over the addresses that ask
(`models.security.fair_queue`); members and staff have an instance each, so that neither waits for the other.
Comparing with nobody's hash takes as long as with somebody's. Raises: Invalid for fewer than 12 or more than
128 characters, a common password, or little more than one; Unavailable when too many wait.
"""

from __future__ import annotations

import base64
import hashlib
import math
import unicodedata
from collections.abc import Callable
from typing import TypeVar

import bcrypt
from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS
from zxcvbn.matching import L33T_TABLE

from models.errors import Invalid
from models.security.addresses import subject_of
from models.security.fair_queue import FairQueue
from models.settings.config import Config

LEAST, MOST = 12, 128
# What an attacker with a good list tries first; each costs them a guess of five in a quarter of an hour.
FEWEST_GUESSES = 1_000_000
# What is longer nobody guesses by a list, and zxcvbn's time grows with the square of the length.
MOST_JUDGED = 40
# Its time also grows with the ways to read signs as letters, up to seconds for one password: beyond so many
# the beginning alone is judged, which is no harder to guess than the whole.
MOST_WAYS = 16
# Nobody's: a salt and a digest that no password was hashed to.
NOBODY = "abcdefghijklmnopqrstuu" + "." * 31
TOO_SHORT = f"Use at least {LEAST} characters."
TOO_LONG = f"Use at most {MOST} characters."
TOO_COMMON = "This one is among the first that would be guessed. Use a few unrelated words instead."
Result = TypeVar("Result")
_COMMON = frozenset(FREQUENCY_LISTS["passwords"])


class Passwords:
    def __init__(self, config: Config) -> None:
        self._cost = config.bcrypt_cost
        self._queue = FairQueue("password")

    async def hash(self, password: str, *own: str, address: str = "") -> str:
        """For a new password; `own` are words that are easily guessed of its owner.

        `address` is whose turn it takes. Raises Invalid (`password`), Unavailable.
        """
        plain = checked(password)
        if await self._in_turn(address, lambda: is_common(plain, own)):
            raise Invalid(password=TOO_COMMON)
        return await self._in_turn(address, lambda: hashed(plain, self._cost))

    async def rehash(self, password: str, address: str = "") -> str:
        """For a password that is in use already: it is not judged again. Raises Unavailable."""
        plain = normalised(password)
        return await self._in_turn(address, lambda: hashed(plain, self._cost))

    async def matches(self, password: str, password_hash: str | None, address: str = "") -> bool:
        """None stands for an account that does not exist: False, after the same work.

        Raises Unavailable.
        """
        against = password_hash or nobody(self._cost)
        plain = normalised(password)
        return await self._in_turn(address, lambda: fits(plain, against, self._cost))

    def is_current(self, password_hash: str) -> bool:
        """Whether it was hashed at the cost of today."""
        return password_hash.startswith(f"$2b${self._cost:02d}$")

    async def close(self) -> None:
        self._queue.close()

    async def _in_turn(self, address: str, work: Callable[[], Result]) -> Result:
        return await self._queue.run(subject_of(address), work)


def checked(password: str) -> str:
    """The password in NFC. Raises Invalid (`password`)."""
    plain = normalised(password)
    if len(plain) < LEAST:
        raise Invalid(password=TOO_SHORT)
    if len(plain) > MOST:
        raise Invalid(password=TOO_LONG)
    return plain


def normalised(password: str) -> str:
    """One password, however a keyboard composes its letters. Raises Invalid for what no one can type."""
    if len(password) > 8 * MOST:
        raise Invalid(password=TOO_LONG)
    try:
        password.encode()
    except UnicodeEncodeError as error:
        raise Invalid(password="Use letters, digits, signs and spaces.") from error
    return unicodedata.normalize("NFC", password)


def digest(plain: str) -> bytes:
    """44 characters whatever the length: bcrypt takes 72 bytes, and none of them may be NUL."""
    return base64.b64encode(hashlib.sha256(plain.encode()).digest())


def hashed(plain: str, cost: int) -> str:
    """Blocking."""
    return bcrypt.hashpw(digest(plain), bcrypt.gensalt(cost)).decode()


def nobody(cost: int) -> str:
    """A hash that no password fits."""
    return f"$2b${cost:02d}${NOBODY}"


def fits(plain: str, against: str, cost: int) -> bool:
    """Blocking. A wrong password costs what `cost` costs, also if it was hashed when that was lower:
    2^old + 2^old + 2^(old + 1) + … + 2^(cost - 1) = 2^cost.
    """
    typed = digest(plain)
    if bcrypt.checkpw(typed, against.encode()):
        return True
    for missing in range(int(against.split("$")[2]), cost):
        bcrypt.checkpw(typed, nobody(missing).encode())
    return False


def is_common(plain: str, own: tuple[str, ...]) -> bool:
    """In the list, or, unless it is long, so near to it that a million guesses find it. Blocking."""
    if plain.casefold() in _COMMON:
        return True
    if len(plain) > MOST_JUDGED:
        return False
    judged = plain if ways_to_read(plain) <= MOST_WAYS else plain[:LEAST]
    return bool(zxcvbn(judged, user_inputs=list(own))["guesses"] < FEWEST_GUESSES)


def ways_to_read(plain: str) -> int:
    """In how many ways zxcvbn may take signs for letters: `4` and `@` in one text are two ways to an `a`."""
    return math.prod(max(1, sum(sign in plain for sign in signs)) for signs in L33T_TABLE.values())
