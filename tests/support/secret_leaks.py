"""Every secret that the tests have used, and the search of all logs for them at the end of the run.

The clients record here what they send and receive; browsers record their cookies. Anything shorter than eight
characters could be in a log by chance and is not recorded.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# Fields of requests, answers, forms and messages that only their owner, or only the peer, may read.
PRIVATE = frozenset((
    "sessionToken", "token", "link", "password", "newPassword", "currentPassword", "email",
    "inviteCode", "recoveryCode", "recoveryCodes", "code", "credential", "sdp", "candidate", "candidates",
    "text", "birthDate", "_xsrf", "secret", "totp", "instagram", "tiktok", "x", "snapchat", "discord",
))  # fmt: skip
SHORTEST = 8
# Network addresses, which must never be in a log (RFC 5737 and the private ranges are what tests use). Only
# whole ones: `10.095` may be a number of seconds.
ADDRESS = re.compile(
    r"\b(?:10\.\d{1,3}\.\d{1,3}|192\.168\.\d{1,3}|203\.0\.113|198\.51\.100|192\.0\.2)\.\d{1,3}\b"
)
# Tokens, codes and ids: looked up among the words of a log, which is fast for any number of them.
WORD = re.compile(r"[\w-]{8,}")
said: dict[str, str] = {}


def say(what: str, value: object) -> None:
    """Records one secret, or a list of them."""
    if isinstance(value, str):
        if len(value) >= SHORTEST and "\ufffd" not in value:
            said[value] = what
    elif isinstance(value, Mapping):
        say_private(value)
    elif isinstance(value, Iterable) and not isinstance(value, bytes):
        for one in value:
            say(what, one)


def say_private(body: object) -> None:
    """Records the private fields of a parsed JSON body or form, at any depth; an error's `code` is not a
    secret.
    """
    if isinstance(body, Mapping):
        for name, value in body.items():
            if name in PRIVATE:
                say(str(name), value)
            elif name != "error":
                say_private(value)
    elif isinstance(body, list):
        for one in body:
            say_private(one)


def found_in(log: str) -> list[str]:
    """The secrets and addresses in this log, each with its kind and line."""
    words = set(WORD.findall(log))
    found = [
        f"{what}: {line_with(log, secret)}"
        for secret, what in said.items()
        if (secret in words if WORD.fullmatch(secret) else secret in log)
    ]
    return found + [f"address: {line_with(log, match[0])}" for match in ADDRESS.finditer(log)]


def line_with(log: str, secret: str) -> str:
    return next(line for line in log.splitlines() if secret in line)[:300]


class _Ear(logging.FileHandler):
    def filter(self, record: logging.LogRecord) -> bool:
        """Ignores the log of the fake mail server."""
        return not record.name.startswith("mail.")


@contextmanager
def overheard(base: Path) -> Iterator[dict[str, list[str]]]:
    """Collects the logs of this process; at the end, the leaks in them and in every log of our server below
    `base`.
    """
    ear, root = _Ear(base / "server.log"), logging.getLogger()
    root.addHandler(ear)
    root.setLevel(logging.INFO)
    found: dict[str, list[str]] = {}
    yield found
    root.removeHandler(ear)
    ear.close()
    for path in base.rglob("server*.log"):
        if secrets := found_in(path.read_text(errors="replace")):
            found[str(path)] = secrets[:20]
