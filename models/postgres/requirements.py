"""Whether a PostgreSQL server can hold this site's data; checked at the start and by `server.py check`.
Blocking.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

import psycopg2
from psycopg2 import extensions

from models.findings import Findings
from models.other_services import POSTGRESQL, what_answers
from models.postgres.connection_errors import ENCODING, FOREIGN_TABLES, cause_of, is_unclear

CONNECT_SECONDS = 3
PORT = 5432
# The SQL needs 11 (hashtextextended, `jit`); 13 is the oldest version that we support.
LEAST_VERSION = 13
# The commands beside the site: check, migrate, backup.
COMMANDS = 3
SKEW_SECONDS = 5
# yoyo's own table.
MIGRATIONS = "_yoyo_migration"


def check_database(url: str, connections: int) -> Findings:
    try:
        with closing(psycopg2.connect(url, connect_timeout=CONNECT_SECONDS)) as connection:
            connection.autocommit = True
            return _judged(connection, connections, url)
    except psycopg2.Error as error:
        cause = cause_of(error)
        return Findings(refused=(_other_service(url) or cause if is_unclear(cause) else cause,))


def _other_service(url: str) -> str | None:
    """What listens there, if it is not a PostgreSQL."""
    parts = extensions.parse_dsn(url)
    host, port = parts.get("hostaddr") or parts.get("host", ""), parts.get("port") or str(PORT)
    if not host or host.startswith(("/", "@")) or "," in host + port or not port.isdigit():
        return None
    kind = what_answers(host, int(port))
    if kind in (None, POSTGRESQL):
        return None
    return f"DATABASE_URL: {kind} answers at its host and port, not a PostgreSQL."


def _judged(connection: Any, connections: int, url: str) -> Findings:
    texts = (*_server(connection), *_schema(connection), *_pooler(connection, url))
    refused = [f"DATABASE_URL: {text}." for text in texts]
    refused += _too_many(connection, connections)
    notes = [f"DATABASE_URL: {text}." for text in _notes(connection)]
    return Findings(tuple(refused), (), tuple(notes))


def _server(connection: Any) -> list[str]:
    found = []
    if connection.server_version < LEAST_VERSION * 10_000:
        found.append(f"PostgreSQL {LEAST_VERSION} or newer is needed, and this one is older")
    if connection.get_parameter_status("server_encoding") != "UTF8":
        found.append(ENCODING)
    if connection.encoding != "UTF8":
        found.append("client_encoding must be UTF8: ALTER DATABASE or ALTER ROLE … RESET client_encoding")
    if _ask(connection, "pg_is_in_recovery"):
        found.append("the server is a read-only standby. Name the primary (target_session_attrs=read-write)")
    elif _ask(connection, "current_setting", "transaction_read_only") == "on":
        found.append(
            "the database is read-only (default_transaction_read_only). If `server.py move` has moved it, "
            "name the new one, or run `server.py move --cancel`"
        )
    return found


def _schema(connection: Any) -> list[str]:
    schema = _ask(connection, "current_schema")
    if schema is None:
        return ["its search_path names no schema that exists and that the user may use"]
    if not _ask(connection, "has_schema_privilege", schema, "CREATE"):
        return ["the user may not create tables. Grant CREATE on the schema"]
    if not _ask(connection, "to_regclass", "users"):
        return []
    if not _ask(connection, "has_table_privilege", "users", "INSERT"):
        return [
            "the tables belong to another user (as after a restore), and this one may not write them. Let "
            "that user run REASSIGN OWNED BY … TO …"
        ]
    return [] if _ask(connection, "to_regclass", MIGRATIONS) else [FOREIGN_TABLES]


def _pooler(connection: Any, url: str) -> list[str]:
    """A pooler in transaction mode gives the server of an idle connection to the next one that asks."""
    own = _ask(connection, "pg_backend_pid")
    with closing(psycopg2.connect(url, connect_timeout=CONNECT_SECONDS)) as other:
        if _ask(other, "pg_backend_pid") != own:
            return []
    return [
        "a pooler in transaction mode (PgBouncer) is there, and prepared statements and locks get lost. Name "
        "the server itself, or a pooler in session mode"
    ]


def _too_many(connection: Any, connections: int) -> list[str]:
    most, reserved = (
        int(_ask(connection, "current_setting", name))
        for name in ("max_connections", "superuser_reserved_connections")
    )
    if connections + COMMANDS <= most - reserved:
        return []
    return [
        f"DATABASE_POOL_SIZE: with WORKERS, the site opens up to {connections} connections, and the server "
        f"allows {max(0, most - reserved - COMMANDS)} beside those of commands (max_connections). Lower "
        "DATABASE_POOL_SIZE or WORKERS, or raise max_connections."
    ]


def _notes(connection: Any) -> list[str]:
    found = []
    if abs(_ask(connection, "clock_timestamp").timestamp() - time.time()) > SKEW_SECONDS:
        found.append(
            f"its clock and that of this machine differ by more than {SKEW_SECONDS} seconds. Set them by NTP"
        )
    return found


def _ask(connection: Any, function: str, *values: str) -> Any:
    """The value of a function on the server."""
    with connection.cursor() as cursor:
        cursor.callproc(function, list(values))
        return cursor.fetchone()[0]
