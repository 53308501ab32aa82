"""The listening sockets of HOST and the ports; errors name the setting."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Callable
from itertools import chain
from typing import Any

import tornado.netutil

from models.findings import Findings
from models.processes.caddy import Doors
from models.settings.config import Config
from models.settings.own_servers import public_host, runs_caddy, site_host

CAUSES = {
    errno.EADDRINUSE: "PORT is in use by another program. Stop it, or set PORT to another port.",
    errno.EACCES: "PORT is not allowed for this user (below 1024 it needs a privilege). Set PORT to another.",
    errno.EPERM: "PORT is not allowed for this user (a security policy forbids it). Set PORT to another.",
    errno.EADDRNOTAVAIL: "HOST is not an address of this machine. Set HOST to one, or to 0.0.0.0 for all.",
    errno.EAFNOSUPPORT: "HOST is of an address family that this machine does not have. Set HOST to another.",
    errno.EMFILE: "No more files can be opened by this process: raise its limit (ulimit -n).",
    errno.ENFILE: "No more files can be opened on this machine: raise the limit of the system (fs.file-max).",
}  # fmt: skip


EVERY = ("0.0.0.0", "::")


class CannotListen(Exception):
    """HOST or PORT cannot be used. The text is for the operator."""


class Listener(socket.socket):
    """A listening socket of a process that may run out of open files. It then accepts connections only to
    close them: otherwise they would stay, and be an event of every round of the loop.
    """

    def __init__(self, fileno: int, when_full: Callable[[], object]) -> None:
        super().__init__(fileno=fileno)
        self._when_full = when_full
        self._spare: int | None = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def accept(self) -> tuple[socket.socket, Any]:
        """Raises: BlockingIOError, if there is no connection, or it was refused."""
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            self._refuse()
            raise BlockingIOError from error

    def _refuse(self) -> None:
        self._when_full()
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None
        with contextlib.suppress(OSError):
            super().accept()[0].close()
        with contextlib.suppress(OSError):
            self._spare = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        super().close()
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None


def try_to_listen(config: Config) -> Findings:
    """What `listen` and `listen_public` would report. A port in use is only a note, because the site itself
    may be running.
    """
    opened: list[socket.socket] = []
    try:
        opened += listen(config)
        opened += chain(*(listen_public(config) or ()))
    except CannotListen as error:
        if getattr(error.__cause__, "errno", None) == errno.EADDRINUSE:
            return Findings(
                notes=(f"{str(error).split()[0]} is in use: by this site, if it is running now.",)
            )
        return Findings(refused=(str(error),))
    finally:
        for one in opened:
            one.close()
    return Findings()


def listen(config: Config) -> list[socket.socket]:
    """The site's own sockets. Raises: CannotListen."""
    return _bound("PORT", config.port, site_host(config))


def listen_public(config: Config) -> Doors | None:
    """The sockets of our own Caddy, if it is wanted. Raises: CannotListen."""
    if not runs_caddy(config):
        return None
    host = public_host(config)
    http = _bound("HTTP_PORT", config.http_port, host)
    try:
        return Doors(http, _bound("HTTPS_PORT", config.https_port, host))
    except CannotListen:
        for one in http:
            one.close()
        raise


def _bound(setting: str, port: int, host: str) -> list[socket.socket]:
    """With a host of EVERY, all addresses of both families; without IPv6 those of IPv4."""
    try:
        return tornado.netutil.bind_sockets(port, "" if host in EVERY else host)
    except (socket.gaierror, UnicodeError) as error:
        raise CannotListen("HOST is neither an address nor a name that this machine can resolve.") from error
    except OSError as error:
        cause = CAUSES.get(error.errno or 0, f"HOST and PORT cannot be listened on ({error.strerror}).")
        raise CannotListen(cause.replace("PORT", setting)) from error
