"""Why PostgreSQL cannot be used, in messages that name the setting.

libpq's own messages contain hosts, users and databases, so they are classified and not shown.
"""

from __future__ import annotations

import re

import psycopg2

UNREACHABLE, TLS = "the server cannot be reached", "TLS cannot be agreed on"
# The first pattern that matches libpq's message counts. Messages are English unless the server is
# configured otherwise.
CAUSES = (
    (r"invalid \"?(?!integer)(?P<part>\w+)\"? value|value .* for connection option \"(?P<option>\w+)\"",
     "libpq cannot use one of its parts ({part})"),
    (r"definition of service|service file", "libpq cannot use one of its parts (service: there is no such "
     "service in the service file)"),
    (r"gssencmode|GSSAPI encryption", "gssencmode asks for GSSAPI encryption, and there is no ticket or no "
     "such server"),
    (r"channel binding", "channel_binding=require needs TLS (sslmode) and a server with SCRAM passwords"),
    (r"authentication method requirement", "require_auth does not allow the server's way to authenticate"),
    (r"(peer|ident) authentication failed", "the server lets in only the system user of the same name (peer "
     "or ident in its pg_hba.conf)"),
    (r"password authentication failed|no password supplied|fe_sendauth|authentication method|SCRAM|GSSAPI",
     "the user or the password is wrong, missing or expired"),
    (r"is not permitted to log in", "the user may not log in (NOLOGIN). ALTER ROLE … LOGIN"),
    (r"role \".*\" does not exist", "there is no such user on the server"),
    (r"database \".*\" does not exist", "there is no such database on the server. Create it (createdb)"),
    (r"not currently accepting connections", "the database accepts no connections (a template, or "
     "ALLOW_CONNECTIONS false). Name another"),
    (r"no pg_hba.conf entry.*(no encryption|SSL off)", "the server takes only encrypted connections: "
     "set sslmode"),
    (r"no pg_hba.conf entry|pg_hba.conf rejects", "the server's pg_hba.conf does not let this user in "
     "from here"),
    (r"too many connections|too many clients|remaining connection slots",
     "the server has no connection left (its max_connections, or a limit of the user or the database)"),
    (r"standby mode|session is (not )?read-only", "the server is not of the kind that target_session_attrs "
     "asks for; the site needs one that takes writes (read-write)"),
    (r"replication|WAL sender", "replication must not be set: it makes a connection that runs no statements"),
    (r"unrecognized configuration parameter|command-line argument|requires a value|permission denied to set"
     r"|value for parameter|\bis not a valid|-c ", "the server does not accept a setting of this session: "
     "one in options, or one of the user or the database (ALTER ROLE, ALTER DATABASE)"),
    (r"does not match host name", f"{TLS}: the server's certificate is for another host name"),
    (r"certificate verify failed|self.signed|unable to get local issuer", f"{TLS}: the server's certificate "
     "is not signed by an authority that sslrootcert names"),
    (r"private key file", f"{TLS}: sslkey must be a file that only this process's user can read"),
    (r"does not support SSL", f"{TLS}: the server has none (ssl is off), and sslmode asks for it"),
    (r"sslnegotiation|protocol version range", f"{TLS}: the options for it contradict each other"),
    (r"certificate|SSL error|SSL SYSCALL|SSL negotiation|tls", f"{TLS}: sslmode or sslrootcert do not fit "
     "the server"),
    (r"could not parse network address", "its hostaddr is not an address"),
    (r"could not translate host name|Name or service not known", "its host cannot be found by name"),
    (r"socket path .* is too long", "the path of its socket is too long (at most 107 bytes)"),
    (r"starting up|shutting down|in recovery mode|not accepting connections", "the server is starting "
     "or stopping"),
    (r"permission denied for database", "the user may not connect to this database"),
    (r"invalid (value|port|integer)|missing|unsupported",
     "libpq cannot use one of its parts (service, sslmode, port or another option)"),
    (r"local user with ID|could not look up", "it names no user, and this process's user has no name "
     "(no passwd entry)"),
    (r"No such file|not a directory", f"{UNREACHABLE}: there is no socket in the directory that host names"),
    (r"socket.*Permission denied", f"{UNREACHABLE}: this process's user may not open its socket"),
    (r"Connection refused", f"{UNREACHABLE}: it is not running there, or listens on another port or address"),
    (r"timeout|timed out|unreachable|No route|reset by peer|closed the connection|Permission denied",
     f"{UNREACHABLE}: it is not running there, or a firewall is between"),
)  # fmt: skip
# Servers write in the language of their lc_messages, on Debian that of the installation. Of the messages
# about a sign-in, only these have these words.
TRANSLATED = (
    (r"pg_hba\.conf", "the server's pg_hba.conf does not let this user in from here"),
    (r"passwor[dt]|mot de passe|contraseña|senha|lösenord|wachtwoord|hasł|hesl|şifre|parola|парол|პაროლ"
     r"|パスワード|密码|口令", "the user or the password is wrong, missing or expired"),
    (r"(datenbank|base de d(ados|atos|onnées)|banco de dados|databasen?|baz[ay] dan\w+|баз[аы] данн\w+"
     r"|бази даних|მონაცემთა ბაზა|データベース|数据库) *[\"'«»“]|\" 데이터베이스",
     "there is no such database on the server, or it does not let this user in"),
)  # fmt: skip
UNCLEAR = (UNREACHABLE, TLS, "the server refuses the connection")
STATES = {
    "42501": "the user may not create or change tables there. Grant CREATE on the schema and ownership "
    "of the tables",
    "25006": "the database is read-only (a standby, or default_transaction_read_only)",
    "53100": "the server's disk is full",
    "53200": "the server is out of memory",
    "55P03": "a table stays locked by another session. Stop it, and start again",
    "57014": "the server cancelled a statement (statement_timeout)",
    "3F000": "its search_path names no schema that exists",
    "42P07": "the database has tables of another program. Create one for the site (createdb)",
}  # fmt: skip

ENCODING = "the database's encoding must be UTF8 (createdb --encoding=UTF8 --template=template0)"
FOREIGN_TABLES = STATES["42P07"]
NOT_ALLOWED = f"DATABASE_URL: {STATES['42501']}."


def cause_of(error: psycopg2.Error) -> str:
    """`DATABASE_URL: …`, without any part of the value or of libpq's message."""
    if error.pgcode in STATES:
        return f"DATABASE_URL: {STATES[error.pgcode]}."
    text = str(error)
    for pattern, cause in CAUSES:
        if found := re.search(pattern, text, re.IGNORECASE | re.DOTALL):
            # The name of an option; never a value.
            named = next((name for name in found.groupdict().values() if name), "")
            return f"DATABASE_URL: {cause.format(part=named)}."
    said = text.partition(" failed: ")[2]
    for pattern, cause in TRANSLATED:
        if re.search(pattern, said, re.IGNORECASE):
            return f"DATABASE_URL: {cause}."
    return "DATABASE_URL: the server refuses the connection, or cannot be reached."


def is_unclear(cause: str) -> bool:
    """Whether another service at that address would have the same cause."""
    return cause.startswith(tuple(f"DATABASE_URL: {one}" for one in UNCLEAR))
