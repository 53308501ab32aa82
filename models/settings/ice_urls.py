"""STUN and TURN URLs as browsers validate them (RFC 7064, RFC 7065, W3C webrtc-pc 4.2.4).

A URL that a browser rejects makes `new RTCPeerConnection` throw, so that every call fails. The test
tests/webrtc/test_ice_urls.py compares this module with a real Chromium.
"""

from __future__ import annotations

import ipaddress
import re

from models.settings.urls import Unusable

SHAPE = re.compile(r"(stuns?|turns?):([^?]*)(?:\?(.*))?", re.IGNORECASE | re.DOTALL)
HOST_PORT = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]+))?")
NAME = re.compile(r"[0-9A-Za-z_](?:[0-9A-Za-z._-]*[0-9A-Za-z_])?\.?")
STUN, TURN = ("stun", "stuns"), ("turn", "turns")


def stun_url(text: str) -> str:
    """In lower case where case is not significant. Raises: Unusable."""
    return _judged(text, STUN)


def turn_url(text: str) -> str:
    """In lower case where case is not significant. Raises: Unusable."""
    return _judged(text, TURN)


def _judged(text: str, schemes: tuple[str, str]) -> str:
    example = f"{schemes[0]}:{schemes[0]}.example.com:3478"
    what = f"must be {schemes[0]}: or {schemes[1]}: addresses like {example}"
    found = SHAPE.fullmatch(text)
    if found is None or found[1].lower() not in schemes:
        raise Unusable(what)
    _check_host(found[2], what)
    if found[3] is None:
        return f"{found[1].lower()}:{found[2]}"
    name, _, transport = found[3].partition("=")
    query = f"{name}={transport.lower()}"
    _check_query(query, schemes, what)
    return f"{found[1].lower()}:{found[2]}?{query}"


def _check_host(text: str, what: str) -> None:
    if text.startswith("//"):
        raise Unusable(f"{what}, without slashes")
    found = HOST_PORT.fullmatch(text)
    if found is None or not _is_host(found["host"]):
        raise Unusable(f"{what}: a host and perhaps a port, an IPv6 address in brackets")
    if found["port"] is not None and not 1 <= int(found["port"][:6]) <= 65535:
        raise Unusable(f"{what}, with a port from 1 to 65535")


def _is_host(host: str) -> bool:
    if not host.startswith("["):
        return bool(NAME.fullmatch(host))
    try:
        ipaddress.IPv6Address(host[1:-1])
    except ValueError:
        return False
    return "%" not in host


def _check_query(query: str, schemes: tuple[str, str], what: str) -> None:
    """RFC 7064 has no query; RFC 7065 allows only `transport`."""
    if schemes == STUN:
        raise Unusable(f"{what}, without ?transport: browsers refuse it there")
    if query not in ("transport=udp", "transport=tcp"):
        raise Unusable(f"{what}, with nothing after the ? but transport=udp or transport=tcp")
