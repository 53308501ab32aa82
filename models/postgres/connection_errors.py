"""Why PostgreSQL cannot be used, in messages that name the setting.

libpq's own messages contain hosts, users and databases, so they are classified and not shown.
"""

from __future__ import annotations

import re

import psycopg2

# The first pattern that matches libpq's message counts. Messages are English unless the server is
# configured otherwise.
CAUSES = (
    (r"password authentication failed|no password supplied|fe_sendauth|authentication method|SCRAM|peer "
    r"authent"
     r"|ident authent|GSSAPI", "the user or the password is wrong, or missing"),
    (r"role \".*\" (does not exist|is not permitted to log in)", "there is no such user on the server"),
    (r"database \".*\" does not exist", "there is no such database on the server. Create it (createdb)"),
    (r"no pg_hba.conf entry.*(no encryption|SSL off)", "the server takes only encrypted connections: "
    "set sslmode"),
    (r"no pg_hba.conf entry|pg_hba.conf rejects", "the server's pg_hba.conf does not let this user in "
    "from here"),
    (r"too many connections|too many clients|remaining connection slots",
     "the server has no connection left (its max_connections, or a limit of the user or the database)"),
    (r"does not support SSL|certificate|SSL error|SSL SYSCALL|SSL negotiation|tls", "TLS cannot be "
    "agreed on: "
     "sslmode or sslrootcert do not fit the server"),
    (r"could not translate host name|Name or service not known", "its host cannot be found by name"),
    (r"starting up|shutting down|in recovery mode|not accepting connections", "the server is starting "
    "or stopping"),
    (r"permission denied for database", "the user may not connect to this database"),
    (r"invalid (sslmode|\S+ value|value|port|integer)|definition of service|service "
    r"file|missing|unsupported",
     "libpq cannot use one of its parts (service, sslmode, port or another option)"),
    (r"local user with ID|could not look up", "it names no user, and this process's user has no name "
    "(no passwd entry)"),
    (r"Connection refused|No such file|not a directory|timeout|timed out|unreachable|No route|reset by "
    r"peer"
     r"|closed the connection|Permission denied", "the server cannot be reached: it is not running "
     "there, or a "
     "firewall is between"),
)  # fmt: skip
STATES = {
    "42501": "the user may not create or change tables there. Grant CREATE on the schema and ownership "
    "of the tables",
    "25006": "the database is read-only (a standby, or default_transaction_read_only)",
    "53100": "the server's disk is full",
    "53200": "the server is out of memory",
    "55P03": "a table stays locked by another session. Stop it, and start again",
    "57014": "the server cancelled a statement (statement_timeout)",
    "3F000": "its search_path names no schema that exists",
}  # fmt: skip

NOT_ALLOWED = f"DATABASE_URL: {STATES['42501']}."


def cause_of(error: psycopg2.Error) -> str:
    """`DATABASE_URL: …`, without any part of the value or of libpq's message."""
    if error.pgcode in STATES:
        return f"DATABASE_URL: {STATES[error.pgcode]}."
    text = str(error)
    for pattern, cause in CAUSES:
        if re.search(pattern, text, re.IGNORECASE | re.DOTALL):
            return f"DATABASE_URL: {cause}."
    return "DATABASE_URL: the server refuses the connection, or cannot be reached."
