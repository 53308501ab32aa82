"""What this process takes from its surroundings besides the settings: encodings, the
variables of libpq, and the proxies of its own requests.
"""

from __future__ import annotations

import codecs
import errno
import io
import locale
import os
import resource
import sys
from collections.abc import Callable, Mapping, MutableMapping

import httpx

from models.findings import Findings

# systemd and shells allow 1024 unless a program asks for more.
MOST_FILES = 65_536
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
UNWRITABLE = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
UNUSABLE = "it is no proxy that can be used: http://, https:// or socks5://, a host and a port"
NO_PROXY = "NO_PROXY: it must be names, addresses or networks, with commas between them and without brackets."


def settle(process: MutableMapping[str, str]) -> None:
    """Allows as many open files as the system does. Begins again in Python's UTF-8 mode if the locale has
    another encoding: files would be read in it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if codecs.lookup(locale.getpreferredencoding(False)).name != "utf-8":
        process["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def with_output(command: Callable[[], int]) -> int:
    """Runs the command. A character that the terminal's encoding lacks is written as an escape; a reader that
    leaves early, as in `server.py payments | head`, has had enough.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return command()
    except OSError as error:
        if error.filename is not None or error.errno not in UNWRITABLE:
            raise
        # Python would write what is left at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:
            return 0
        print(f"standard output: {error.strerror}", file=sys.stderr)
        return 1


def without_libpq(environment: Mapping[str, str], process: MutableMapping[str, str]) -> Mapping[str, str]:
    """The settings without PGPORT, PGSERVICE and the like, unless DATABASE_URL is set: they are about another
    server than the built-in one. libpq reads them from the process, so they are removed there too.
    """
    if environment.get("DATABASE_URL", "").strip():
        return environment
    for name in _of_libpq(process):
        del process[name]
    return {name: environment[name] for name in environment if name not in _of_libpq(environment)}


def look_around(environment: Mapping[str, str]) -> Findings:
    """What would disturb the site's own connections."""
    found = Findings(refused=tuple(_unusable_proxies(environment)))
    if environment.get("DATABASE_URL", "").strip() and (names := _of_libpq(environment)):
        listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
        note = (
            f"{listed}: libpq reads these variables as well. What DATABASE_URL says itself takes precedence."
        )
        return found.with_(Findings(notes=(note,)))
    return found


def _of_libpq(environment: Mapping[str, str]) -> list[str]:
    return sorted(name for name in environment if name.startswith("PG"))


def _unusable_proxies(environment: Mapping[str, str]) -> list[str]:
    """Of the variables that httpx reads, those that it cannot use: it would fail before each request."""
    given = {name: environment[name] for name in sorted(environment) if name.upper() in PROXIES}
    found = [f"{name}: {UNUSABLE}." for name, value in given.items() if value and not _may_use(value)]
    excepted = next((name for name in ("no_proxy", "NO_PROXY") if environment.get(name)), None)
    if not found and excepted and not _may_use(None):
        found.append(NO_PROXY.replace("NO_PROXY", excepted, 1))
    return found


def _may_use(proxy: str | None) -> bool:
    """None: the proxies of the environment."""
    if proxy is not None and "://" not in proxy:
        proxy = f"http://{proxy}"
    try:
        httpx.Client(proxy=proxy, trust_env=proxy is None, verify=False).close()
    except (ValueError, ImportError, httpx.InvalidURL):
        return False
    return True
