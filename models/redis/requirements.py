"""Whether a Redis (or Valkey) server can serve this site; checked at the start and by `server.py check`.
Blocking.
"""

from __future__ import annotations

import re
import secrets
from typing import Any
from urllib.parse import unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    InvalidResponse,
    NoPermissionError,
    RedisError,
    ResponseError,
    TimeoutError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from models.findings import Findings
from models.other_services import REDIS, TLS, what_answers
from models.redis import keys

TRY_SECONDS = 2.0
PORT = 6379
UNCLEAR = (RedisConnectionError, TimeoutError, InvalidResponse)
LEAST_VERSION = (6, 2)
# The share of maxmemory at which the operator should act.
FULL = 0.9
EVICTS = "REDIS_URL: Redis may evict keys (maxmemory-policy). Set its maxmemory-policy to noeviction."
# Every command that the site and its scripts use, each on a key of the right type.
PROBES = (
    "PING", "SET {s} 1 PX 1000", "GET {s}", "EXISTS {s}", "EXPIRE {s} 1", "PEXPIRE {s} 1000",
    "HSET {h} a 1", "HGET {h} a",
    "HMGET {h} a", "HGETALL {h}", "HLEN {h}", "HEXISTS {h} a", "HINCRBY {h} a 1", "HDEL {h} a",
    "RPUSH {l} a", "LRANGE {l} 0 0",
    "SADD {m} a", "SCARD {m}", "SMEMBERS {m}", "SREM {m} a", "ZADD {z} 1 a", "ZCARD {z}",
    "ZSCORE {z} a", "ZMSCORE {z} a",
    "ZRANGE {z} 0 0", "ZRANGEBYSCORE {z} 0 1", "ZREMRANGEBYRANK {z} 5 6", "ZREMRANGEBYSCORE {z} 5 6",
    "ZREM {z} a",
    "EVAL return(1) 0", "EVALSHA {sha} 0", "SCRIPT EXISTS {sha}", "SCRIPT LOAD return(1)", "PUBLISH {c} 1",
    "DEL {s} {h} {l} {m} {z}",
)  # fmt: skip
CAUSES = (
    (r"index is out of range|invalid DB", "there is no such database number on the server"),
    (r"cluster", "a Redis Cluster is not supported. Name a single server or primary"),
    (r"max number of clients", "the server has no connection left (maxclients)"),
    (r"Hostname mismatch|doesn't match", "TLS cannot be agreed on: the certificate is for another host name"),
    (r"certificate verify failed|self.signed", "TLS cannot be agreed on: the certificate is not signed by an "
     "authority that ssl_ca_certs names"),
    (r"certificate required|alert.*certificate", "TLS cannot be agreed on: the server asks for a certificate "
     "of ours (ssl_certfile and ssl_keyfile)"),
    (r"certificate|ssl|tls|wrong version number",
    "TLS cannot be agreed on: redis:// and rediss:// or the certificate "
     "do not fit the server"),
    (r"Name or service|getaddrinfo|Temporary failure|nodename|No address",
    "its host cannot be found by name"),
    (r"closed by server|reset by peer|Connection closed",
    "the server ends the connection (a TLS port wants rediss://)"),
    (r"DENIED|protected mode", "the server is in protected mode and accepts only local connections"),
    (r"client name|Client names", "its client_name is not accepted by the server"),
    (r"unknown command", "the server is not a Redis, or forbids commands that are needed"),
    (r"Permission denied", "this process's user may not open the server's socket"),
)  # fmt: skip


def check_redis(url: str) -> Findings:
    try:
        with redis.Redis.from_url(
            url,
            socket_timeout=TRY_SECONDS,
            socket_connect_timeout=TRY_SECONDS,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        ) as client:
            return _judged(client)
    except (RedisError, OSError, ValueError) as error:
        cause = cause_of(error)
        return Findings(refused=(_other_service(url) or cause if _is_unclear(error) else cause,))


def _is_unclear(error: Exception) -> bool:
    """Whether another service at that address could have caused it."""
    return type(error) in UNCLEAR or isinstance(error, (OSError, ValueError))


def _other_service(url: str) -> str | None:
    """What listens there, if it is not what the URL promises."""
    parts = urlsplit(url)
    if not parts.hostname:
        return None
    kind = what_answers(unquote(parts.hostname), parts.port or PORT)
    if kind == REDIS and parts.scheme == "rediss":
        return "REDIS_URL: TLS cannot be agreed on: the server there has none. Begin with redis://"
    if kind == TLS:
        hint = " Begin with rediss://" if parts.scheme == "redis" else ""
        return f"REDIS_URL: TLS cannot be agreed on: the server there expects it.{hint}" if hint else None
    return None if kind in (None, REDIS) else f"REDIS_URL: {kind} answers at its host and port, not a Redis."


def cause_of(error: Exception) -> str:
    """`REDIS_URL: …`, without any part of the value or of the server's message."""
    text = str(error)
    if isinstance(error, AuthenticationError) or re.search("WRONGPASS|NOAUTH|invalid password|AUTH", text):
        return "REDIS_URL: the user or the password is wrong, or missing."
    if isinstance(error, BusyLoadingError):
        return "REDIS_URL: the server is still loading its data."
    if isinstance(error, NoPermissionError):
        return "REDIS_URL: the user may not use the commands that are needed."
    for pattern, cause in CAUSES:
        if re.search(pattern, text, re.IGNORECASE):
            return f"REDIS_URL: {cause}."
    if isinstance(error, TimeoutError):
        return (
            "REDIS_URL: the server does not answer in time (a firewall, or rediss:// to a port without TLS)."
        )
    if re.search(r"refused|\b111\b", text):
        return "REDIS_URL: the server cannot be reached: it is not running there, or listens on another port."
    return "REDIS_URL: the server cannot be reached: it is not running there, or a firewall blocks it."


def _judged(client: Any) -> Findings:
    client.ping()
    try:
        told = client.info()
    except ResponseError:
        told = None
    refused = [] if told is None else _server(told)
    if not refused:
        refused = _commands(client)
    evicts = (EVICTS,) if told and told.get("maxmemory_policy", "noeviction") != "noeviction" else ()
    silent = "the user may not use INFO: version, role and maxmemory-policy were not checked"
    notes = (f"REDIS_URL: {silent}.",) if told is None else ()
    to_mend = (*evicts, *_memory(told or {}))
    return Findings(tuple(f"REDIS_URL: {text}." for text in refused), to_mend, notes)


def _memory(told: dict[str, Any]) -> tuple[str, ...]:
    """At maxmemory, a server that does not evict refuses all writes."""
    most, used = int(told.get("maxmemory", 0)), int(told.get("used_memory", 0))
    if not most or used < FULL * most:
        return ()
    return (f"REDIS_URL: {used >> 20} of {most >> 20} MB are used. Raise maxmemory before writes fail.",)


def _server(told: dict[str, Any]) -> list[str]:
    found = []
    version = tuple(int(part) for part in re.findall(r"\d+", str(told.get("redis_version", "")))[:2])
    if version < LEAST_VERSION:
        found.append("Redis 6.2 or newer (or Valkey) is needed, and this one is older")
    if told.get("redis_mode") == "cluster" or told.get("cluster_enabled") == 1:
        found.append("a Redis Cluster is not supported. Name a single server or primary")
    if told.get("role") == "slave":
        found.append("the server is a read-only replica. Name the primary")
    return found


def _commands(client: Any) -> list[str]:
    """The commands that the user's rights (ACL) forbid on the site's keys and channels."""
    name = f"{keys.PREFIX}check:{secrets.token_hex(4)}:"
    parts = {kind: name + kind for kind in "shlmz"} | {"c": f"{keys.PREFIX}c:check", "sha": "0" * 40}
    pipeline = client.pipeline(transaction=False)
    for probe in PROBES:
        pipeline.execute_command(*probe.format(**parts).split(" "))
    answers = pipeline.execute(raise_on_error=False)
    denied = [
        probe.split(" ")[0]
        for probe, answer in zip(PROBES, answers, strict=True)
        if isinstance(answer, ResponseError) and re.search("permission|NOPERM|unknown command", str(answer))
    ]
    denied += [] if _may_subscribe(client, parts["c"]) else ["SUBSCRIBE"]
    if any(isinstance(answer, redis.exceptions.ReadOnlyError) for answer in answers):
        return ["the server is read-only. Name the primary"]
    allow = "Allow it (ACL: ~ns:* &ns:* +@all)"
    return [f"the user may not use {', '.join(denied)} on the site's keys. {allow}"] if denied else []


def _may_subscribe(client: Any, channel: str) -> bool:
    with client.pubsub() as listener:
        try:
            listener.subscribe(channel)
            listener.get_message(timeout=TRY_SECONDS)
        except NoPermissionError:
            return False
    return True
