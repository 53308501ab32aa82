"""REDIS_URL as redis-py parses it, without the parts that redis-py or this site would silently ignore.

`models.redis.connection` takes the address, the credentials, the name and the TLS settings from redis-py. It
has its own time limits, retries and pool, and speaks RESP2: options about these are refused by name.
"""

from __future__ import annotations

import inspect
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote

import redis.asyncio as aioredis
from redis.exceptions import RedisError

from models.settings.urls import Unusable, credentials, is_host, split

PLACED = frozenset({"host", "port", "username", "password", "path"})
FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
TLS = frozenset(
    {*FILES, "ssl_ca_path", "ssl_ca_data", "ssl_cert_reqs", "ssl_check_hostname", "ssl_ciphers"}
    | {"ssl_min_version", "ssl_password", "ssl_include_verify_flags", "ssl_exclude_verify_flags"}
)
HONOURED = frozenset({"db", "client_name", "protocol", "socket_keepalive"}) | TLS
BOOLEANS = ("true", "false", "yes", "no", "1", "0")
# What redis-py's URL and pool accept beside the parameters of its connections.
OF_POOLS = frozenset({"max_connections", "timeout", "connection_class"})
LONGEST_SOCKET_PATH = 107


def judged(value: str) -> str:
    """The value, if redis-py can connect with it. Raises: ValueError."""
    parts = split(value)
    if parts.fragment:
        raise Unusable("must not have a # (in a password it is %23)")
    credentials(parts)
    if parts.scheme == "unix":
        _check_socket(parts)
    elif not parts.hostname or "," in parts.netloc.rpartition("@")[2]:
        raise Unusable("must name one host, like redis://host:6379/0 (no list, no Sentinel, no Cluster)")
    elif not is_host(unquote(parts.hostname)):
        raise Unusable("must have a host name or an address that can exist")
    elif not re.fullmatch(r"/?[0-9]{0,5}", parts.path):
        raise Unusable("must have a number as its database, like redis://host:6379/0")
    _check_options(parts)
    _check_connection(value)
    return value


def _check_socket(parts: SplitResult) -> None:
    if parts.hostname or not parts.path.strip("/"):
        raise Unusable("must name the socket with three slashes, like unix:///run/redis.sock")
    if len(unquote(parts.path).encode()) > LONGEST_SOCKET_PATH:
        raise Unusable(f"must have the path of a socket, which has at most {LONGEST_SOCKET_PATH} bytes")


def _check_options(parts: SplitResult) -> None:
    """Checks the options after the question mark. Raises: Unusable."""
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    options = dict(pairs)
    if len(options) < len(pairs) or not all(options.values()) or (parts.query and not pairs):
        raise Unusable("must give each option once, with a value (option=value)")
    for name in options:
        if name in PLACED:
            raise Unusable(f"must have its {name} before the question mark, not as an option")
        if name not in HONOURED and name in _known():
            raise Unusable(f"must not have the option {name}: this site does not use it")
        if name not in HONOURED:
            raise Unusable("must have only options that redis-py knows, with values that it takes")
    if parts.scheme != "rediss" and not TLS.isdisjoint(options):
        raise Unusable("must begin with rediss:// if it has options for TLS (ssl_…)")
    if parts.scheme == "unix" and "socket_keepalive" in options:
        raise Unusable("must not have the option socket_keepalive: unix sockets have none")
    if "db" in options and parts.scheme != "unix" and parts.path.strip("/"):
        raise Unusable("must name its database once: after the slash, or as the option db")
    for fault in _bad_values(options):
        raise Unusable(f"must have {fault}")


def _known() -> frozenset[str]:
    """The options that redis-py accepts, in a URL or from programs."""
    kinds = (aioredis.Connection, aioredis.SSLConnection, aioredis.UnixDomainSocketConnection)
    classes = {base for kind in kinds for base in kind.__mro__ if base is not object}
    found = {name for one in classes for name in inspect.signature(one).parameters}
    return OF_POOLS | found - {"self", "kwargs"}


def _bad_values(options: dict[str, str]) -> Iterator[str]:
    if not re.fullmatch(r"[0-9]{1,5}", options.get("db", "0"), re.ASCII):
        yield "a number as its database (db)"
    if options.get("protocol", "2") != "2":
        yield "protocol=2 or no protocol: this site speaks RESP2"
    if not re.fullmatch(r"[!-~]*", options.get("client_name", "")):
        yield "a client_name of ASCII characters without spaces: Redis takes no others"
    for name in ("socket_keepalive", "ssl_check_hostname"):
        if options.get(name, "true").lower() not in BOOLEANS:
            yield f"true or false as {name}"
    if options.get("ssl_cert_reqs", "none") not in ("none", "optional", "required"):
        yield "none, optional or required as ssl_cert_reqs"
    for name in FILES:
        if name in options and not _is_readable(Path(options[name])):
            yield f"a file that this process can read as {name}"
    if options.get("ssl_min_version", "771") not in ("771", "772"):
        yield "771 (TLS 1.2) or 772 (TLS 1.3) as ssl_min_version"
    if "ssl_keyfile" in options and "ssl_certfile" not in options:
        yield "ssl_certfile as well if it has ssl_keyfile"
    if "ssl_ca_path" in options and not Path(options["ssl_ca_path"]).is_dir():
        yield "a directory as ssl_ca_path"


def _is_readable(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            opened.read(1)
    except (OSError, ValueError):
        return False
    return True


def _check_connection(value: str) -> None:
    """Creates the connection object that will be used, and its TLS settings, without connecting. Raises:
    Unusable.
    """
    try:
        pool: Any = aioredis.ConnectionPool.from_url(value)
        settings = pool.make_connection()
        if isinstance(settings, aioredis.SSLConnection):
            if settings.ssl_context.password is None:
                # Otherwise OpenSSL would ask for it on the terminal.
                settings.ssl_context.password = ""
            settings.ssl_context.get()
    except ssl.SSLError:
        raise Unusable(
            "must have TLS options that OpenSSL can use: a file or ssl_ca_data holds no certificate, the key "
            "does not fit it or needs ssl_password, or ssl_ciphers names none that exist"
        ) from None
    except (RedisError, ValueError, TypeError, OSError, AttributeError) as error:
        named = re.search(r"Invalid value for '(\w+)'", str(error))
        if named and named[1] in HONOURED:
            raise Unusable(f"must have a value of {named[1]} that redis-py accepts") from None
        raise Unusable("must have only options that redis-py knows, with values that it takes") from None
