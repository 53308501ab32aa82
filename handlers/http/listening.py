"""The listening sockets of HOST and PORT; errors name the setting."""

from __future__ import annotations

import errno
import socket

import tornado.netutil

from models.findings import Findings
from models.settings.config import Config

CAUSES = {
    errno.EADDRINUSE: "PORT is in use by another program. Stop it, or set PORT to another port.",
    errno.EACCES: "PORT is not allowed for this user (below 1024 it needs a privilege). Set PORT to another.",
    errno.EPERM: "PORT is not allowed for this user (a security policy forbids it). Set PORT to another.",
    errno.EADDRNOTAVAIL: "HOST is not an address of this machine. Set HOST to one, or to 0.0.0.0 for all.",
    errno.EAFNOSUPPORT: "HOST is of an address family that this machine does not have. Set HOST to another.",
    errno.EMFILE: "No more files can be opened by this process: raise its limit (ulimit -n).",
    errno.ENFILE: "No more files can be opened on this machine: raise the limit of the system (fs.file-max).",
}  # fmt: skip


class CannotListen(Exception):
    """HOST or PORT cannot be used. The text is for the operator."""


def try_to_listen(config: Config) -> Findings:
    """What `listen` would report. A port in use is only a note, because the site itself may be running."""
    try:
        for one in listen(config):
            one.close()
    except CannotListen as error:
        if getattr(error.__cause__, "errno", None) == errno.EADDRINUSE:
            return Findings(notes=("PORT is in use: by this site, if it is running now.",))
        return Findings(refused=(str(error),))
    return Findings()


def listen(config: Config) -> list[socket.socket]:
    """Raises: CannotListen."""
    try:
        return tornado.netutil.bind_sockets(config.port, config.host)
    except (socket.gaierror, UnicodeError) as error:
        raise CannotListen("HOST is neither an address nor a name that this machine can resolve.") from error
    except OSError as error:
        cause = CAUSES.get(error.errno or 0, f"HOST and PORT cannot be listened on ({error.strerror}).")
        raise CannotListen(cause) from error
