"""DATABASE_URL as libpq parses it: a URL, or the keyword form, without what this site would ignore."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl

import psycopg2
from psycopg2 import extensions

from models.settings.urls import DELIMITERS, Unusable

SCHEMES = ("postgres://", "postgresql://")
# In this order: what libpq says about a value that it cannot parse.
CAUSES = (
    (r"invalid (URI query parameter|connection option)", "must have only options that libpq knows (those of "
     "other programs, such as schema or pgbouncer, are not)"),
    (r"key/value separator", "must give each option after the ? as option=value, separated by &"),
    (r"percent-encoded", "must have every % followed by two digits (a % itself is %25), and no %00"),
    (r"IPv6|unexpected character", "must have its host as a name, or as an IPv6 address in brackets"),
)  # fmt: skip
FORM = (
    "must be a libpq URL (postgresql://user:password@host/database, with / ? # @ and % in user and "
    "password percent-encoded) or libpq's keyword form (host=… dbname=…)"
)
INTEGERS = ("connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
            "tcp_user_timeout")  # fmt: skip
FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
# libpq ignores such a file instead of reporting that it is missing.
NO_FILES = ("system", "engine:")
UTF8 = ("utf8", "utf-8", "unicode")


def judged(value: str) -> str:
    """The value, if libpq can parse it. Raises: Unusable."""
    if value.startswith(SCHEMES):
        _check_url(value)
    options = _parsed(value)
    if not options:
        raise Unusable("must name a database")
    if "@" in options.get("host", ""):
        # libpq ends the password at the first @.
        raise Unusable(DELIMITERS)
    if any(character.isspace() for character in options.get("host", "").partition("/")[0]):
        raise Unusable("must not have spaces in its host")
    _check_ports(options.get("port", ""))
    _check_options(options)
    return value


def _check_url(value: str) -> None:
    """Checks for parts of a URL that libpq would silently read as others, or ignore. Raises: Unusable."""
    # libpq looks for the @ up to the first slash only: after an unescaped slash, the password is read as
    # other parts.
    authority, _, rest = value.partition("://")[2].partition("/")
    if "@" not in authority and "@" in rest.partition("?")[0]:
        raise Unusable(DELIMITERS)
    before, _, query = value.partition("?")
    given = [name for name, _ in parse_qsl(query, keep_blank_values=True)]
    if len(set(given)) < len(given):
        raise Unusable("must give each option once")
    for name in _parsed(before):
        if name in given:
            raise Unusable(f"must name its {name} once: before the question mark, or as an option")


def _parsed(value: str) -> dict[str, str]:
    try:
        return dict(extensions.parse_dsn(value))
    except (psycopg2.Error, ValueError, TypeError, SystemError) as error:
        text = next((text for pattern, text in CAUSES if re.search(pattern, str(error))), FORM)
        raise Unusable(text) from None


def _check_ports(ports: str) -> None:
    """Expects one port for each host, or one for all. Raises: Unusable."""
    for port in ports.split(","):
        if port and not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65535):
            raise Unusable("must have a port from 1 to 65535")


def _check_options(options: dict[str, str]) -> None:
    if "replication" in options:
        raise Unusable("must not have the option replication: such a connection runs no statements")
    if options.get("client_encoding", "utf8").lower() not in UTF8:
        raise Unusable("must not have another client_encoding than UTF8")
    for name in INTEGERS:
        if not re.fullmatch(r"\s*[+-]?[0-9]{1,9}\s*", options.get(name, "0"), re.ASCII):
            raise Unusable(f"must have a whole number as {name}")
    for name in FILES:
        file = options.get(name)
        if file and not file.startswith(NO_FILES) and not _is_readable(Path(file)):
            raise Unusable(f"must have a file that this process can read as {name}")


def _is_readable(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            opened.read(1)
    except (OSError, ValueError):
        return False
    return True
