"""Password hashing, comparison and strength. The only module that imports bcrypt and zxcvbn.

Stateless but for its queue. bcrypt gets base64(SHA-256(NFC, UTF-8)), so that no byte of a long password is
cut off. Hashing runs on one thread, in rotation over the client addresses (`models.security.fair_queue`).
Members and staff have an instance each, so that neither waits for the other. A comparison for an unknown
account takes as long as for a known one. Raises: Invalid for fewer than 12 or more than 128 characters, a
common password, or one too close to it; Unavailable if too many wait.
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
# An attacker with a good list needs at least so many guesses, and has five in a quarter of an hour.
FEWEST_GUESSES = 1_000_000
# Longer passwords are not in guessing lists, and zxcvbn's time grows with the square of the length.
MOST_JUDGED = 40
# zxcvbn's time also grows with the ways to read signs as letters, up to seconds for one password. Beyond this
# limit only the beginning is judged, which is no harder to guess than the whole.
MOST_WAYS = 16
# A salt and a digest that match no password.
NO_DIGEST = "abcdefghijklmnopqrstuu" + "." * 31
TOO_SHORT = f"Use at least {LEAST} characters."
TOO_LONG = f"Use at most {MOST} characters."
TOO_COMMON = "This password is easy to guess. Use a few unrelated words instead."
Result = TypeVar("Result")
_COMMON = frozenset(FREQUENCY_LISTS["passwords"])


class Passwords:
    def __init__(self, config: Config) -> None:
        self._cost = config.bcrypt_cost
        self._queue = FairQueue("password")

    async def hash(self, password: str, *own: str, address: str = "") -> str:
        """Hashes a new password. `own` are words about its owner that are easily guessed.

        `address` is the subject in the queue. Raises: Invalid (`password`), Unavailable.
        """
        plain = checked(password)
        if await self._queued(address, lambda: is_common(plain, own)):
            raise Invalid(password=TOO_COMMON)
        return await self._queued(address, lambda: hashed(plain, self._cost))

    async def rehash(self, password: str, address: str = "") -> str:
        """Hashes a password that is in use, without judging its strength. Raises: Unavailable."""
        plain = normalised(password)
        return await self._queued(address, lambda: hashed(plain, self._cost))

    async def matches(self, password: str, password_hash: str | None, address: str = "") -> bool:
        """Compares. Without a hash (unknown account): False, after the same work.

        Raises: Unavailable.
        """
        against = password_hash or dummy_hash(self._cost)
        plain = normalised(password)
        return await self._queued(address, lambda: fits(plain, against, self._cost))

    def is_current(self, password_hash: str) -> bool:
        """Whether the hash has the configured cost."""
        return password_hash.startswith(f"$2b${self._cost:02d}$")

    async def close(self) -> None:
        self._queue.close()

    async def _queued(self, address: str, work: Callable[[], Result]) -> Result:
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
    """The password in NFC, so that keyboards need not compose alike. Raises: Invalid for lone surrogates."""
    if len(password) > 8 * MOST:
        raise Invalid(password=TOO_LONG)
    try:
        password.encode()
    except UnicodeEncodeError as error:
        raise Invalid(password="Use letters, digits, signs and spaces.") from error
    return unicodedata.normalize("NFC", password)


def digest(plain: str) -> bytes:
    """44 characters for any length: bcrypt takes 72 bytes, none of which may be NUL."""
    return base64.b64encode(hashlib.sha256(plain.encode()).digest())


def hashed(plain: str, cost: int) -> str:
    """Blocking."""
    return bcrypt.hashpw(digest(plain), bcrypt.gensalt(cost)).decode()


def dummy_hash(cost: int) -> str:
    """A hash that matches no password."""
    return f"$2b${cost:02d}${NO_DIGEST}"


def fits(plain: str, against: str, cost: int) -> bool:
    """Blocking. A wrong password takes the time of `cost`, even if the hash has a lower one:
    2^old + 2^old + 2^(old + 1) + … + 2^(cost - 1) = 2^cost.
    """
    typed = digest(plain)
    if bcrypt.checkpw(typed, against.encode()):
        return True
    for missing in range(int(against.split("$")[2]), cost):
        bcrypt.checkpw(typed, dummy_hash(missing).encode())
    return False


def is_common(plain: str, own: tuple[str, ...]) -> bool:
    """Whether it is in the list, or, unless it is long, found within a million guesses. Blocking."""
    if plain.casefold() in _COMMON:
        return True
    if len(plain) > MOST_JUDGED:
        return False
    judged = plain if ways_to_read(plain) <= MOST_WAYS else plain[:LEAST]
    return bool(zxcvbn(judged, user_inputs=list(own))["guesses"] < FEWEST_GUESSES)


def ways_to_read(plain: str) -> int:
    """The number of ways to read signs as letters in zxcvbn: `4` and `@` in one text are two for `a`."""
    return math.prod(max(1, sum(sign in plain for sign in signs)) for signs in L33T_TABLE.values())
