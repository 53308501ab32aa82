"""The PostgreSQL and Redis of the whole run, emptied for each test."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg2
import redis


@dataclass(frozen=True)
class Servers:
    """The embedded pair of the whole run."""

    database_url: str
    redis_url: str


class RunningServers:
    def __init__(self, urls: Servers) -> None:
        self.urls = urls
        self._redis = redis.Redis.from_url(urls.redis_url)
        self._connect()

    def _connect(self) -> None:
        self._connection = psycopg2.connect(self.urls.database_url)
        self._connection.autocommit = True
        with self._connection.cursor() as cursor:
            # The audit log cannot be emptied, except that a superuser can disable its triggers. Nearly all
            # tables are empty already: deleting from all of them takes a thirtieth of the time of `truncate`.
            cursor.execute("set session_replication_role = replica")
            cursor.execute(
                "select string_agg('delete from ' || quote_ident(tablename), '; ') from pg_tables "
                "where schemaname = 'public' and tablename not like '%yoyo%'"
            )
            self._delete = cursor.fetchone()[0]

    def empty(self) -> Servers:
        """Deletes every row and key; the schema stays. The connections stay open for the next test."""
        try:
            self._delete_rows()
        except psycopg2.OperationalError:  # A test has ended all connections.
            self._connect()
            self._delete_rows()
        self._redis.flushall()
        return self.urls

    def _delete_rows(self) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(self._delete)

    def close(self) -> None:
        self._connection.close()
        self._redis.close()
