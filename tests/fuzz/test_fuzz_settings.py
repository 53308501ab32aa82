"""Any environment gives a Config, or a ConfigError that names settings and shows no value."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from models.checks.host import consequences
from models.settings.config import Config, ConfigError
from models.settings.environment import read_config
from models.settings.names import NAMES, misspelled
from tests.fuzz.budget import rounds

SECRET = "zQ7private"
SEEDS = [
    "https://x.example:443", "http://[::1]:8080/", "https://bücher.example.",
    "postgresql://u:p@h:5432/d?sslmode=require",
    "host=h dbname=d password='x y'", "service=x", "redis://:pw@h:6379/0", "rediss://u:p@h",
    "unix:///run/r.sock?db=1",
    "smtp://u:p@h:587", "smtps://[::1]", "turn:h:3478?transport=udp", "turns:[::1]:443", "stun:h",
    "none", "10.0.0.0/8, ::1",
    "true", "0", "8080", "-1", "1e3", "NaN", "inf", "0x10", "٣", "9" * 400, "production", "usd",
    "sk_live_0123456789",
    "whsec_0123456789abc", "AC0123456789", "a@b.example", "/etc/passwd", "/", ".", "\"quoted\"", "'",
    ",", ",,", "%", "%00",
]  # fmt: skip
PIECES = [
    "/", "?", "#", "@", ":", "//", "://", "%", "%2F", "%zz", "[", "]", "\\", " ", "\t", "\r\n", "\0",
    "\udcff", "\u200b",
    "\ufeff", "\u2028", "é", "。", "１", "😀", "=", "&", ",", ";", "'", '"', "`", "{", "}", "$(x)", "..",
    "-", "\x7f",
]  # fmt: skip


def mutated(chance: random.Random) -> str:
    """A value that is nearly right, with a mark inside that no fault may show."""
    value = chance.choice(SEEDS)
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(value) + 1)
        what = chance.choice((*PIECES, SECRET, "", chance.choice(SEEDS)))
        value = value[:at] + what + value[chance.choice((at, at, at + 1)) :]
    return value * chance.choice((1, 1, 1, 1, 1, 60))


def environment(chance: random.Random) -> dict[str, str]:
    names = chance.sample(sorted(NAMES), chance.randrange(1, 12))
    others = {mutated(chance): "x"} if chance.random() < 0.1 else {}
    return {name: mutated(chance) for name in names} | others


def is_judged(read: Callable[[], Config]) -> Config | ConfigError:
    try:
        return read()
    except ConfigError as error:
        return error


@pytest.mark.prove
def test_any_environment() -> None:
    seed = random.randrange(2**32)
    for number in rounds():
        chance = random.Random(seed + number)
        settings = environment(chance)
        try:
            found = is_judged(lambda settings=settings: read_config(settings))
            config = found.config if isinstance(found, ConfigError) else found
            assert config.origins
            assert not [text for text in consequences(config) if SECRET in text]
            misspelled(settings)
        except Exception as error:
            raise AssertionError(f"seed {seed + number}: {settings!r}") from error
        if isinstance(found, ConfigError):
            for fault in found.faults:
                assert fault.split()[0] in NAMES, (seed + number, fault)
                assert SECRET not in fault, (seed + number, fault)
                assert fault.isprintable(), (seed + number, fault)
