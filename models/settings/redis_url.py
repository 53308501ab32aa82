"""REDIS_URL as redis-py parses it, without the parts that redis-py silently ignores."""

from __future__ import annotations

import re
from typing import Any

import redis.asyncio as aioredis
from redis.exceptions import RedisError

from models.settings.urls import Unusable, credentials, split


def judged(value: str) -> str:
    """The value, if redis-py can connect with it. Raises: ValueError."""
    parts = split(value)
    if parts.fragment:
        raise Unusable("must not have a # (in a password it is %23)")
    credentials(parts)
    if parts.scheme == "unix":
        if parts.hostname or not parts.path.strip("/"):
            raise Unusable("must name the socket with three slashes, like unix:///run/redis.sock")
    elif not parts.hostname or "," in parts.netloc.rpartition("@")[2]:
        raise Unusable("must name one host, like redis://host:6379/0 (no list, no Sentinel, no Cluster)")
    elif not re.fullmatch(r"/?[0-9]{0,5}", parts.path):
        raise Unusable("must have a number as its database, like redis://host:6379/0")
    _check(value)
    return value


def _check(value: str) -> None:
    """Creates the connection object that will be used, without connecting. Raises: Unusable."""
    try:
        pool: Any = aioredis.ConnectionPool.from_url(value)
        pool.make_connection()
    except (RedisError, ValueError, TypeError, OSError, AttributeError):
        raise Unusable("must have only options that redis-py knows, with values that it takes") from None
