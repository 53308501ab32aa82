"""Redis error replies: which mean that Redis is down, and which that the connection is useless.

A failure of the server becomes `RedisErrorReply`, which callers see as `Unavailable`. Any other error reply
is a bug in the command and stays a `ResponseError`.
"""

from __future__ import annotations

import logging
import re
import time

from redis.exceptions import NoScriptError, ResponseError

from models.errors import Unavailable

logger = logging.getLogger(__name__)
# The right server, which will answer on this connection later.
LATER = {
    "LOADING": "it still loads its data",
    "BUSY": "a script of another client blocks it",
    "TRYAGAIN": "a cluster moves its keys",
    "INPROG": "a failover is in progress",
    "NOREPLICAS": "it has fewer replicas than min-replicas-to-write",
    "OOM": "its maxmemory is reached",
    "MISCONF": "it cannot save its data to disk and refuses writes",
}
# Another server is the primary, or our credentials are not accepted: only a new connection can help.
ELSEWHERE = {
    "READONLY": "it is a replica now",
    "MASTERDOWN": "it is a replica without its master",
    "MOVED": "the keys are on another node of a cluster",
    "ASK": "the keys are on another node of a cluster",
    "CLUSTERDOWN": "its cluster is down",
    "CROSSSLOT": "it is a cluster, which this site cannot use",
    "NOAUTH": "REDIS_URL names no password, and it asks for one",
    "WRONGPASS": "it rejects the user or the password of REDIS_URL",
    "NOPERM": "the user of REDIS_URL lacks a permission",
    "DENIED": "it is in protected mode",
    "MAXCLIENTS": "its maxclients is reached",
    "AUTH": "it rejects the sign-in of REDIS_URL",
}
CAUSES = LATER | ELSEWHERE
# Redis up to 6.2 wraps an error inside of a script: `ERR Error running script (…): …: -READONLY You can't …`.
WRAPPED = re.compile(r"-([A-Z]+) ")
FULL = "ERR max number of clients"
QUIET_SECONDS = 10.0
MOST_CAUSES = 100


class RedisErrorReply(Unavailable):
    """`code` is the one Redis sent; with `is_elsewhere` the connection must be replaced."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code
        self.is_elsewhere = code in ELSEWHERE


def fault_of(text: str) -> Exception:
    """The exception for an error reply, as parsed by hiredis."""
    code = text.partition(" ")[0]
    if code == "NOSCRIPT":
        return NoScriptError(text)
    if text.startswith(FULL):
        return RedisErrorReply("MAXCLIENTS")
    for found in (code, *WRAPPED.findall(text)):
        if found in CAUSES:
            return RedisErrorReply(found)
    return ResponseError(text)


class OutageLog:
    """Log messages about an outage: each cause at most once in ten seconds, however many commands fail."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def say(self, error: object) -> None:
        text = cause_of(error)
        now = time.monotonic()
        if len(self._said) >= MOST_CAUSES:
            self._said.clear()
        if now - self._said.get(text, -QUIET_SECONDS) >= QUIET_SECONDS:
            self._said[text] = now
            logger.warning("redis away: %s", text)


def cause_of(error: object) -> str:
    """`READONLY: it is a replica now`, or the kind of the error; never a value of REDIS_URL."""
    if isinstance(error, RedisErrorReply):
        return f"{error.code}: {CAUSES[error.code]}"
    return error if isinstance(error, str) else type(error).__name__
