"""coturn beside the site: relays the media of calls without a direct route (`TURN`).

Runs the settings file that we ship (deploy/coturn): its quotas, denied peers and silence, with this site's
addresses, ports and secret. The secret is generated once and kept in the data directory; it is never on a
command line. With a certificate of our own Caddy it serves TLS too.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from models.processes.child_process import Server
from models.processes.data_directory import DataDirectory, EmbeddedError
from models.settings.config import Config
from models.settings.own_servers import LETS_ENCRYPT, public_host, runs_caddy
from models.settings.web_origins import host_of

SHIPPED = Path(__file__).resolve().parents[2] / "deploy" / "coturn" / "turnserver.conf"
# What is this site's own; the lines of the shipped file for these are left out.
OWN = re.compile(
    r"(static-auth-secret|listening-port|tls-listening-port|min-port|max-port|total-quota|external-ip|cert|pkey)="
)
# A STUN binding request (RFC 8489): type, length 0, magic cookie, transaction id.
BINDING = bytes.fromhex("000100002112a442") + b"napalmskytrn"
PROBE_SECONDS = 0.2
SECRET_LENGTH = 64
ADVICE = "Set TURN=off to run without it, or TURN_URLS to another server."


class Coturn(Server):
    title, program = "coturn", "turnserver"
    setting, advice = "TURN", ADVICE
    ends_with_us = True
    gentle, harsh = signal.SIGTERM, signal.SIGKILL

    def __init__(self, place: DataDirectory, config: Config) -> None:
        super().__init__(place)
        self._config = config
        self.is_optional = config.turn == "auto"
        self._certified_at: float | None = None

    @property
    def home(self) -> Path:
        return self.place.data / "coturn"

    @property
    def url(self) -> str:
        return turn_urls(self._config)[0]

    @property
    def secret(self) -> str:
        """Generated once, so that credentials stay valid over a restart. An incomplete one is replaced:
        with an empty secret everyone could sign credentials.
        """
        file = self.place.directory(self.home) / "secret"
        found = file.read_text(encoding="utf-8").strip() if file.exists() else ""
        if len(found) < SECRET_LENGTH:
            found = secrets.token_hex(SECRET_LENGTH // 2)
            _write_whole(file, found)
        return found

    @property
    def _file(self) -> Path:
        return self.home / "turnserver.conf"

    def prepare(self) -> None:
        super().prepare()
        self._certified_at = self._certificate_time()
        lines = [line for line in SHIPPED.read_text(encoding="utf-8").splitlines() if not OWN.match(line)]
        self._file.unlink(missing_ok=True)
        self._file.touch(mode=0o600)
        self._file.write_text("\n".join([*lines, *self._own_lines(), ""]), encoding="utf-8")
        if self.place.account:
            os.chown(self._file, self.place.account.uid, self.place.account.gid)

    def _own_lines(self) -> list[str]:
        config = self._config
        most = config.turn_max_port - config.turn_min_port + 1
        lines = {
            "static-auth-secret": self.secret,
            "listening-port": config.turn_port,
            "tls-listening-port": config.turn_tls_port,
            "min-port": config.turn_min_port,
            "max-port": config.turn_max_port,
            "total-quota": most,
        }
        where = [f"{name}={value}" for name, value in lines.items()]
        if address := listening_address(config):
            where += [f"listening-ip={address}", f"relay-ip={address}"]
        if config.is_loopback and config.is_host_loopback:
            # Only programs of this machine reach it here, and they reach the peers without it too.
            where.append("allow-loopback-peers")
        elif outside := public_address(config):
            where.append(f"external-ip={outside}")
        if self._certified_at is not None:
            certificate = certificate_of(config, self.place.data)
            return [*where, f"cert={certificate}", f"pkey={certificate.with_suffix('.key')}"]
        return [*where, "no-tls"]

    def _certificate_time(self) -> float | None:
        """When the certificate was written; None without one."""
        if not runs_caddy(self._config):
            return None
        try:
            return certificate_of(self._config, self.place.data).stat().st_mtime
        except OSError:
            return None

    def command(self) -> list[str]:
        return [coturn_binary(), "-c", str(self._file)]

    def is_ready(self) -> bool:
        """Whether it answers a STUN binding request over UDP."""
        host = listening_address(self._config) or "127.0.0.1"
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe, suppress(OSError):
            probe.settimeout(PROBE_SECONDS)
            probe.connect((host, self._config.turn_port))
            probe.send(BINDING)
            return probe.recv(64)[:2] == b"\x01\x01"
        return False

    def refresh(self) -> None:
        """A renewed certificate is read again; with the first one it starts again, since TLS was off."""
        now = self._certificate_time()
        if now is None or now == self._certified_at or self._child is None:
            return
        if self._certified_at is None:
            self.restart_reason = "it has a certificate now, and serves TLS as well"
            self.ask_to_stop()
        else:
            self._child.send_signal(signal.SIGUSR2)
        self._certified_at = now

    def remains(self) -> list[Path]:
        return []


def turn_urls(config: Config) -> tuple[str, ...]:
    """For browsers: UDP, TCP, and TLS if there is a certificate."""
    host = host_of(config.base_url)
    near = _near(config)
    plain = (f"turn:{near}:{config.turn_port}", f"turn:{near}:{config.turn_port}?transport=tcp")
    tls = f"turns:{host}:{config.turn_tls_port}?transport=tcp"
    return (*plain, tls) if runs_caddy(config) else plain


def stun_urls(config: Config) -> tuple[str, ...]:
    return (f"stun:{_near(config)}:{config.turn_port}",)


def public_address(config: Config) -> str | None:
    """PUBLIC_IP, otherwise the address of BASE_URL's name; None if the DNS has none."""
    if config.public_ip:
        return config.public_ip
    try:
        found = socket.getaddrinfo(host_of(config.base_url).strip("[]"), None, socket.AF_INET)
    except (OSError, UnicodeError):
        return None
    address = str(found[0][4][0])
    return None if ip_address(address).is_loopback else address


def certificate_of(config: Config, data: Path) -> Path:
    """Caddy's certificate for BASE_URL; its key is beside it."""
    host = host_of(config.base_url).strip("[]")
    issuer = "local" if config.tls == "internal" else _folder_of(config.acme_directory or LETS_ENCRYPT)
    return data / "caddy" / "certificates" / issuer / host / f"{host}.crt"


def _folder_of(acme_directory: str) -> str:
    """The name that Caddy gives the folder of an authority's certificates."""
    parts = urlsplit(acme_directory)
    return "-".join((parts.netloc.replace(":", "-"), *parts.path.strip("/").split("/")))


def coturn_binary() -> str:
    """Raises: EmbeddedError."""
    found = shutil.which("turnserver")
    if found is None:
        raise EmbeddedError(f"TURN: there is no coturn here (turnserver). Install it. {ADVICE}")
    return found


def _write_whole(file: Path, text: str) -> None:
    """All of the text or none of it, whatever interrupts; for our account only."""
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    part.rename(file)


def listening_address(config: Config) -> str:
    """The address, never a name, on which coturn listens; empty: all of them. Raises: EmbeddedError."""
    host = public_host(config)
    if host in ("", "0.0.0.0", "::"):
        return ""
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)[0][4][0])
    except (OSError, UnicodeError) as error:
        raise EmbeddedError(
            f"HOST: coturn needs an address, and the name in HOST has none. Set an address. {ADVICE}"
        ) from error


def _near(config: Config) -> str:
    """The host for plain URLs. On loopback a number, because `localhost` may mean another family."""
    host = host_of(config.base_url)
    if host != "localhost" or not config.is_host_loopback:
        return host
    return "[::1]" if config.host == "::1" else "127.0.0.1"
