"""Which of our own public servers run: Caddy (`TLS`) and coturn (`TURN`)."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from ipaddress import ip_address

from models.settings.config import Config
from models.settings.web_origins import LOOPBACK_HOSTS, host_of

LOOPBACK_NETWORKS = (ipaddress.ip_network("127.0.0.1/32"), ipaddress.ip_network("::1/128"))
# Caddy's default.
LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
# Names for which no public certificate authority issues certificates (RFC 2606, 6761, 6762, 8375, 9476).
PRIVATE_NAMES = (".local", ".localhost", ".internal", ".test", ".invalid", ".home.arpa", ".lan", ".alt")


def own_servers(config: Config) -> Config:
    """The settings that follow from `TLS`: requests come from our own Caddy on loopback."""
    if not runs_caddy(config):
        return config
    missing = tuple(one for one in LOOPBACK_NETWORKS if one not in config.trusted_proxies)
    return replace(config, trusted_proxies=(*config.trusted_proxies, *missing))


def runs_caddy(config: Config) -> bool:
    """With `auto`: for a public https name, unless TRUSTED_PROXIES names a proxy that has the certificate."""
    if config.tls != "auto":
        return config.tls != "off"
    has_proxy = bool(set(config.trusted_proxies) - set(LOOPBACK_NETWORKS))
    return config.is_secure and has_public_name(config) and not has_proxy


def runs_coturn(config: Config) -> bool:
    """With `auto`: unless another TURN server is set, if browsers can reach it: BASE_URL is not on loopback,
    or browser and site share this machine (HOST is on loopback as well).
    """
    if config.turn != "auto":
        return config.turn == "embedded"
    has_other = bool(config.turn_urls or config.twilio_account_sid)
    return not has_other and (not config.is_loopback or config.is_host_loopback)


def has_public_name(config: Config) -> bool:
    host = host_of(config.base_url)
    return (
        host not in LOOPBACK_HOSTS and "." in host and not (is_address(host) or host.endswith(PRIVATE_NAMES))
    )


def is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def other_name(host: str) -> str | None:
    """The name that redirects to `host`: with `www.` in front, or without it."""
    if is_address(host) or "." not in host:
        return None
    return host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"


def public_host(config: Config) -> str:
    """The address on which our own public servers listen; empty: all of them."""
    if config.is_loopback or not (config.is_host_loopback or config.host in ("0.0.0.0", "::")):
        return config.host
    return ""


def site_host(config: Config) -> str:
    """The address on which the site itself listens: behind our own Caddy only loopback."""
    return "127.0.0.1" if runs_caddy(config) and not config.is_host_loopback else config.host
