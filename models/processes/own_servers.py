"""Our own Caddy and coturn as the settings want them, and the settings that follow from them."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace

from models.findings import Findings
from models.processes.caddy import Caddy, Doors, caddy_binary
from models.processes.child_process import Server
from models.processes.coturn import (
    Coturn,
    coturn_binary,
    listening_address,
    public_address,
    stun_urls,
    turn_urls,
)
from models.processes.data_directory import DataDirectory, EmbeddedError
from models.processes.service_urls import Makers
from models.settings.config import Config
from models.settings.own_servers import runs_caddy, runs_coturn, site_host

logger = logging.getLogger(__name__)


@dataclass
class OwnServers:
    """`makers` for `models.processes.service_urls.servers`; after its start, `settings` for the workers."""

    config: Config
    makers: Makers
    coturn: list[Coturn]

    @property
    def settings(self) -> dict[str, str]:
        """The environment that describes our own coturn as any other; empty if it does not run."""
        running = [one for one in self.coturn if not one.is_left_out]
        if not running:
            return {}
        return {
            "TURN": "off",
            "TURN_URLS": ",".join(turn_urls(self.config)),
            "TURN_SECRET": running[0].secret,
            "STUN_URLS": ",".join(self.config.stun_urls or stun_urls(self.config)),
        }

    @property
    def site(self) -> Config:
        """The settings of this process."""
        told = self.settings
        if not told:
            return self.config
        return replace(
            self.config,
            turn="off",
            turn_urls=turn_urls(self.config),
            turn_secret=told["TURN_SECRET"],
            stun_urls=self.config.stun_urls or stun_urls(self.config),
        )


def missing_programs(config: Config) -> Findings:
    """What `own_servers` would refuse, or leave out, because a program is not installed."""
    found = Findings()
    for is_wanted, program, must in (
        (runs_caddy(config), caddy_binary, True),
        (runs_coturn(config), coturn_binary, config.turn == "embedded"),
    ):
        try:
            if is_wanted:
                program()
        except EmbeddedError as error:
            found = found.with_(Findings(refused=(str(error),)) if must else Findings(notes=(str(error),)))
    return found


def own_servers(config: Config, doors: Doors | None) -> OwnServers:
    """Raises: EmbeddedError, if a program is missing or a port is in use. With TURN=auto, a coturn that
    cannot run is left out, and the log has the reason.
    """
    found = OwnServers(config, [], [])
    makers: list[Callable[[DataDirectory], Server]] = []
    if doors is not None:
        caddy_binary()
        upstream = f"[{site_host(config)}]" if ":" in site_host(config) else site_host(config)
        makers.append(lambda place: Caddy(place, config, doors, f"{upstream}:{config.port}"))
    if runs_coturn(config) and _may_run_coturn(config):

        def make_coturn(place: DataDirectory) -> Coturn:
            found.coturn.append(Coturn(place, config))
            return found.coturn[-1]

        makers.append(make_coturn)
    found.makers = makers
    return found


def _may_run_coturn(config: Config) -> bool:
    """Raises: EmbeddedError, with TURN=embedded."""
    try:
        coturn_binary()
        _check_port(config)
    except EmbeddedError as error:
        if config.turn == "embedded":
            raise
        logger.warning(str(error), extra={"setting": "TURN"})
        return False
    if not config.is_loopback and public_address(config) is None:
        logger.warning(
            "PUBLIC_IP: BASE_URL's name has no public IPv4 address in the DNS. Relayed calls fail until the "
            "name has one and the site is restarted, or PUBLIC_IP is set.",
            extra={"setting": "PUBLIC_IP"},
        )
    return True


def _check_port(config: Config) -> None:
    """Raises: EmbeddedError, if another program listens there."""
    host = listening_address(config)
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, config.turn_port))
            except OSError as error:
                raise EmbeddedError(
                    f"TURN_PORT: coturn cannot listen on port {config.turn_port} ({error.strerror}). Stop "
                    "the program that uses it, set TURN_PORT to another, or TURN=off."
                ) from error
