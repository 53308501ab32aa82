"""What this machine provides: directories, files, address, mail server. Read only."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import psutil

from models.checks.data_directory import why_unusable
from models.checks.durability import why_lost
from models.findings import Findings
from models.mail.mail_server import reach
from models.processes.robots_process import has_robots
from models.settings.config import Config
from models.settings.networks import is_wide
from models.settings.own_servers import has_public_name, runs_caddy, runs_coturn
from models.settings.site_addresses import is_secure_context, port_of

LEAST_FILES = 1024
# Of cgroup 2; `max` without a limit.
CONTAINER_MEMORY = Path("/sys/fs/cgroup/memory.max")
NO_STUN = (
    "TURN_URLS and STUN_URLS name no server: only people on the same network can call each other. "
    "Set TURN=embedded (coturn beside the site, which is a STUN server as well), TURN_URLS and TURN_SECRET "
    "(a coturn elsewhere), or STUN_URLS."
)
NO_CAMERA = (
    "BASE_URL is http on another machine: browsers give no camera and no microphone to such a page, so that "
    "no user can take a selfie or talk. Set BASE_URL to https://: with TLS=auto, our Caddy "
    "gets the certificate for a public name; otherwise put a proxy with TLS in front."
)
WIDE = (
    "TRUSTED_PROXIES names a network that strangers are in: anyone there can send a forged X-Forwarded-For, "
    "and so get around the limits and bans of addresses. Name only your proxies."
)
NO_FILES = (
    "DATA_DIR and TMPDIR: temporary files can be created in neither, and uploads need them. Make one "
    "writable (in a container with a read-only root: --tmpfs /tmp, or a volume for DATA_DIR)."
)

LEAST_MEMORY = 1 << 30
LITTLE_MEMORY = (
    "memory: this machine or container has less than 1 GB: the site with its own PostgreSQL, and the "
    "decoding of uploads, need about 2 GB. Without it the system ends processes at any time."
)
PRIVATE_IP = (
    "PUBLIC_IP is a private address: browsers elsewhere cannot reach the relays of our coturn there. Set it "
    "to the address that the internet sees, or leave it out."
)
NO_CADDY = (
    "TLS=auto runs no Caddy, because the host of BASE_URL is no public name and so gets no certificate. Set "
    "TLS=internal, or put a proxy with a certificate in front and name it in TRUSTED_PROXIES."
)
OTHER_PORT = (
    "HTTPS_PORT is not the port of BASE_URL: unless something passes that port on (docker run -p), nothing "
    "answers at BASE_URL."
)
NO_ROBOTS = (
    "PROBE_MINUTES needs the libraries of requirements-demo.txt, which are not installed: no call is made."
)


def check_host(config: Config) -> Findings:
    return check_data_dir(config).with_(Findings(notes=tuple(_notes(config))))


def check_data_dir(config: Config) -> Findings:
    """With both servers elsewhere, the site starts without it, but uploads and deletions need it."""
    keeps_all = not (config.database_url and config.redis_url)
    cause = why_unusable(config.data_dir, keeps_all=keeps_all)
    backups = config.backup_dir and why_unusable(config.backup_dir, keeps_all=False, setting="BACKUP_DIR")
    to_mend = (backups,) if backups else ()
    if cause is None:
        return Findings(to_mend=to_mend)
    return Findings((cause,), to_mend) if keeps_all else Findings(to_mend=(cause, *to_mend))


def consequences(config: Config) -> list[str]:
    """Consequences of valid settings, logged once."""
    found = []
    has_turn = bool(config.turn_urls or config.twilio_account_sid or runs_coturn(config))
    if not has_turn and not config.stun_urls:
        found.append(NO_STUN)
    if config.is_loopback and port_of(config.base_url) != config.port and not runs_caddy(config):
        found.append(
            "BASE_URL is on this machine with a port other than PORT: unless something passes that port "
            "on, pages opened under PORT are refused as foreign."
        )
    if not is_secure_context(config.base_url):
        found.append(NO_CAMERA)
    if any(map(is_wide, config.trusted_proxies)):
        found.append(WIDE)
    if config.tls == "auto" and config.is_secure and not (has_public_name(config) or config.trusted_proxies):
        found.append(NO_CADDY)
    if runs_caddy(config) and port_of(config.base_url) != config.https_port:
        found.append(OTHER_PORT)
    if not config.is_loopback:
        found += _of_a_public_machine(config)
    if config.probe_minutes and not has_robots():
        found.append(NO_ROBOTS)
    if why_unusable(config.data_dir, keeps_all=False) and not _has_temporary_files():
        found.append(NO_FILES)
    return found


def _of_a_public_machine(config: Config) -> Iterator[str]:
    if not config.database_url and (cause := why_lost(config.data_dir)):
        yield cause
    if runs_coturn(config) and config.public_ip and not ip_address(config.public_ip).is_global:
        yield PRIVATE_IP
    if _memory() < LEAST_MEMORY:
        yield LITTLE_MEMORY


def _memory() -> int:
    """Bytes that this machine or its container has."""
    whole = int(psutil.virtual_memory().total)
    with suppress(OSError, ValueError):
        return min(int(CONTAINER_MEMORY.read_text()), whole)
    return whole


def _has_temporary_files() -> bool:
    """Whether temporary files can be created in TMPDIR or the system's directory."""
    try:
        tempfile.TemporaryFile().close()
    except OSError:
        return False
    return True


def _notes(config: Config) -> Iterator[str]:
    yield from consequences(config)
    if config.smtp_url and (cause := reach(config.smtp_url, config.mail_from)):
        yield f"{cause}. The site starts anyway, but cannot send e-mail."
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < LEAST_FILES:
        yield f"ulimit -n: fewer than {LEAST_FILES} files may be open, and each visitor needs one."
