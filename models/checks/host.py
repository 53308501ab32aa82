"""What this machine provides: directories, files, address, mail server. Read only."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from models.accounts.mail_server import reach
from models.findings import Findings
from models.settings.config import Config
from models.settings.networks import is_wide
from models.settings.site_addresses import is_secure_context, port_of

LEAST_FREE_BYTES = 200 * 1024 * 1024
LEAST_FILES = 1024
NO_STUN = (
    "TURN_URLS and STUN_URLS are not set: only people on the same network can call each other. "
    "Set TURN_URLS and TURN_SECRET (a coturn of your own, which is a STUN server as well), or STUN_URLS."
)
NO_CAMERA = (
    "BASE_URL is http on another machine: browsers give no camera and no microphone to such a page, so that "
    "no user can take a selfie or talk. Put a proxy with TLS in front and set BASE_URL to https://."
)
WIDE = (
    "TRUSTED_PROXIES names a network that strangers are in: anyone there can send a forged X-Forwarded-For, "
    "and so get around the limits and bans of addresses. Name only your proxies."
)
NO_FILES = (
    "DATA_DIR and TMPDIR: temporary files can be created in neither, and uploads need them. Make one "
    "writable (in a container with a read-only root: --tmpfs /tmp, or a volume for DATA_DIR)."
)


def check_host(config: Config) -> Findings:
    refused = _data_dir(config.data_dir, keeps_all=not (config.database_url and config.redis_url))
    return Findings(tuple(refused), (), tuple(_notes(config)))


def consequences(config: Config) -> list[str]:
    """Consequences of valid settings, logged once."""
    found = []
    has_turn = bool(config.turn_urls or config.twilio_account_sid)
    if not has_turn and not config.stun_urls:
        found.append(NO_STUN)
    if config.is_loopback and port_of(config.base_url) != config.port:
        found.append(
            "BASE_URL is on this machine with a port other than PORT: unless something passes that port "
            "on, pages opened under PORT are refused as foreign."
        )
    if not is_secure_context(config.base_url):
        found.append(NO_CAMERA)
    if any(map(is_wide, config.trusted_proxies)):
        found.append(WIDE)
    if not (_takes_files(config.data_dir) or _takes_files(None)):
        found.append(NO_FILES)
    return found


def _existing(directory: Path) -> Path:
    """The directory itself, or the first above it that exists. Raises: OSError."""
    return next(path for path in (directory.absolute(), *directory.absolute().parents) if path.exists())


def _takes_files(directory: Path | None) -> bool:
    """Whether temporary files can be created there (None: in TMPDIR or the system's directory)."""
    try:
        tempfile.TemporaryFile(dir=directory and _existing(directory)).close()
    except OSError:
        return False
    return True


def _notes(config: Config) -> Iterator[str]:
    yield from consequences(config)
    if config.smtp_url and (cause := reach(config.smtp_url, config.mail_from)):
        yield f"{cause}. The site starts all the same, but cannot send e-mail."
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < LEAST_FILES:
        yield f"ulimit -n: fewer than {LEAST_FILES} files may be open, and each visitor needs one."


def _data_dir(data: Path, *, keeps_all: bool) -> list[str]:
    """`keeps_all`: the embedded servers keep their data there."""
    try:
        place = _existing(data)
    except OSError as error:
        return [f"DATA_DIR: it cannot be used ({os.strerror(error.errno or 0)})."]
    if not place.is_dir():
        return ["DATA_DIR: it is not a directory, or a part of its path is not."]
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
        free = shutil.disk_usage(place).free
    except OSError as error:
        return [f"DATA_DIR: it cannot be written ({os.strerror(error.errno or 0)})."]
    if keeps_all and free < LEAST_FREE_BYTES:
        return ["DATA_DIR: less than 200 MB are free there."]
    return []
