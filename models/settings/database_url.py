"""DATABASE_URL as libpq parses it: a URL, or the keyword form."""

from __future__ import annotations

import psycopg2
from psycopg2 import extensions

from models.settings.urls import DELIMITERS, Unusable

SCHEMES = ("postgres://", "postgresql://")


def judged(value: str) -> str:
    """The value, if libpq can parse it. Raises: Unusable."""
    if value.startswith(SCHEMES):
        # libpq looks for the @ up to the first slash only: after an unescaped slash, the password is read as
        # other parts.
        authority, _, rest = value.partition("://")[2].partition("/")
        if "@" not in authority and "@" in rest.partition("?")[0]:
            raise Unusable(DELIMITERS)
    options = _parsed(value)
    if not options:
        raise Unusable("must name a database")
    if "@" in options.get("host", ""):
        # libpq ends the password at the first @.
        raise Unusable(DELIMITERS)
    _check_ports(options.get("port", ""))
    return value


def _parsed(value: str) -> dict[str, str]:
    try:
        return dict(extensions.parse_dsn(value))
    except (psycopg2.Error, ValueError, TypeError, SystemError):
        raise Unusable(
            "must be a libpq URL (postgresql://user:password@host/database, with / ? # @ and % in user and "
            "password percent-encoded) or libpq's keyword form (host=… dbname=…)"
        ) from None


def _check_ports(ports: str) -> None:
    """Expects one port for each host, or one for all. Raises: Unusable."""
    for port in ports.split(","):
        if port and not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65535):
            raise Unusable("must have a port from 1 to 65535")
