"""Many users at once: their rows by SQL, their presence by the site's own scripts.

Rows and keys are the same as after a sign-up and an open, joined socket. The sockets of a `Crowd` belong to a
process that does not exist; it never sends heartbeats, so no process declares it dead.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aiosql
import psycopg2
import redis

from models.ids import new_id
from models.redis.client import Script
from models.settings.config import Config
from models.settings.terms import terms_in_force

STATEMENTS = aiosql.from_path(Path(__file__).with_name("users.sql"), "psycopg2")
PROCESS = "bench-crowd"
BATCH = 1000
TERMS = terms_in_force(Config())


@dataclass(frozen=True, slots=True)
class BenchUser:
    user_id: str
    token: str


def sign_up(database_url: str, count: int) -> list[BenchUser]:
    """Creates `count` users with access, selfie and session."""
    people = [BenchUser(new_id(), new_id()) for _ in range(count)]
    connection = psycopg2.connect(database_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        # Older revisions do not ask for the terms.
        cursor.execute("select to_regclass('terms_acceptances') is not null")
        (has_terms,) = cursor.fetchone() or (False,)
    for at in range(0, count, BATCH):
        _insert(connection, people[at : at + BATCH], at, has_terms=has_terms)
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze")
    connection.close()
    return people


def _insert(connection: object, people: list[BenchUser], at: int, *, has_terms: bool) -> None:
    ids = [one.user_id for one in people]
    fresh = [new_id() for _ in people]
    hashes = [hashlib.sha256(one.token.encode()).digest() for one in people]
    names = [f"Person {at + place}" for place in range(len(people))]
    STATEMENTS.add_users(connection, user_ids=ids, names=names)
    STATEMENTS.add_selfies(connection, user_ids=ids, media_ids=fresh)
    STATEMENTS.wear_selfies(connection, user_ids=ids, media_ids=fresh)
    STATEMENTS.grant_access(connection, user_ids=ids, grant_ids=fresh)
    if has_terms:
        STATEMENTS.accept_terms(connection, user_ids=ids, version=TERMS.version)
    STATEMENTS.sign_in(connection, user_ids=ids, session_ids=fresh, token_hashes=hashes)


class Crowd:
    """Users who are online without a socket of ours: present in Redis, as if on another process."""

    def __init__(self, redis_url: str) -> None:
        self._redis = redis.Redis.from_url(redis_url)

    def gather(self, people: list[BenchUser]) -> None:
        """Makes exactly these users the crowd."""
        self._run("room.heal", [(PROCESS, _now(), 0, 0)])
        self._run("room.socket_open", [(p.user_id, p.user_id, PROCESS, _now(), 1, 0, 0) for p in people])
        self._run("room.socket_mark", [(p.user_id, p.user_id, _now(), 1, 0) for p in people])

    def online(self) -> int:
        return int(self._redis.scard("ns:online"))

    def close(self) -> None:
        self._redis.close()

    def _run(self, name: str, calls: Sequence[tuple[str | int, ...]]) -> None:
        sha = self._redis.script_load(Script.named(name).text)
        for at in range(0, len(calls), BATCH):
            pipeline = self._redis.pipeline(transaction=False)
            for values in calls[at : at + BATCH]:
                pipeline.evalsha(sha, 0, *values)
            pipeline.execute()


def _now() -> int:
    return round(time.time() * 1000)
