"""Parsing of requests: the target, fields and the client's address."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Any

import msgspec
from tornado.httputil import HTTPHeaders, HTTPInputError, HTTPServerRequest, RequestStartLine

from models.errors import BadRequest
from models.settings.networks import IpNetwork

LOOPBACK = "127.0.0.1"
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
HOP = re.compile(
    r"\[(?P<v6>[0-9A-Fa-f:.]+)(%[^\]]*)?\](:[0-9]{1,5})?"
    r"|(?P<v4>[0-9.]+):[0-9]{1,5}"
    r"|(?P<plain>[0-9A-Fa-f:.]+)(%\S*)?",
    re.ASCII,
)


# What proxies write instead of, or beside, X-Forwarded-For: as the keys of HTTPHeaders are spelled.
OTHER_FORWARDING = frozenset((
    "X-Real-Ip", "Cf-Connecting-Ip", "True-Client-Ip", "X-Client-Ip", "Fly-Client-Ip",
    "X-Forwarded-Proto", "X-Forwarded-Host",
))  # fmt: skip
ABSOLUTE = re.compile(r"https?://([^/?#]*)(.*)", re.IGNORECASE)
CONTINUE = "100-continue"


def normal_start(start: RequestStartLine, headers: HTTPHeaders) -> RequestStartLine:
    """With the path as the target. The authority of an absolute target replaces the Host header (RFC 9112,
    3.2).

    Raises: HTTPInputError (400), for a target that is none.
    """
    if found := ABSOLUTE.fullmatch(start.path):
        if len(headers.get_list("Host")) == 1:
            headers["Host"] = found[1]
        return start._replace(path=found[2] if found[2].startswith("/") else f"/{found[2]}")
    if start.path == "*" and start.method == "OPTIONS":
        return start._replace(path="/")
    if not start.path.startswith("/") and start.method != "CONNECT":
        raise HTTPInputError("a target without a path")
    return start


def settle_expectation(start: RequestStartLine, headers: HTTPHeaders) -> None:
    """Normalises Expect (RFC 9110, 10.1.1). Tornado compares its text, and answers HTTP/1.0 clients too."""
    if headers.get("Expect", "").lower() != CONTINUE:
        return
    if start.version == "HTTP/1.0":
        del headers["Expect"]
    else:
        headers["Expect"] = CONTINUE


def join_cookies(headers: HTTPHeaders) -> None:
    """HTTP/2 splits cookies over several lines, and some proxies pass them on so (RFC 9113, 8.2.3). Tornado
    would join them with commas.
    """
    lines = headers.get_list("Cookie")
    if len(lines) > 1:
        headers["Cookie"] = "; ".join(lines)


def lower_content_type(headers: HTTPHeaders) -> None:
    """The case of a media type does not matter (RFC 9110, 8.3.1); that of its parameters may."""
    kind, semicolon, parameters = headers.get("Content-Type", "").partition(";")
    if kind != kind.lower():
        headers["Content-Type"] = kind.lower() + semicolon + parameters


def json_fields(body: bytes) -> dict[str, Any]:
    """The fields of a JSON object; an empty body counts as `{}`. Raises: BadRequest."""
    if not body:
        return {}
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest("The body is not valid JSON.") from error
    if not isinstance(fields, dict):
        raise BadRequest("The body must be a JSON object.")
    return fields


def form_fields(arguments: dict[str, list[bytes]]) -> dict[str, Any]:
    """The last value of each field. Raises: BadRequest, for bytes that are not UTF-8."""
    try:
        return {name: values[-1].decode() for name, values in arguments.items() if values}
    except UnicodeDecodeError as error:
        raise BadRequest("The form is not valid UTF-8.") from error


def field_of(text: str) -> tuple[str, str]:
    """msgspec's message as (field, plain text): "Expected `int`, got `str` - at `$.age`" -> ("age", …)."""
    if "missing required field" in text:
        return text.split("`")[-2], "This is needed."
    words, _, path = text.partition(" - at `$.")
    return path.rstrip("`").split(".")[0].split("[")[0] or "body", words + "."


def bearer_of(request: HTTPServerRequest) -> str | None:
    """The Bearer token (RFC 6750); empty if the scheme has no token, None for any other scheme.

    Other schemes, such as a proxy's Basic authentication, are ignored.
    """
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def client_address(request: HTTPServerRequest, trusted: tuple[IpNetwork, ...]) -> str:
    """The right-most hop of X-Forwarded-For that is not a trusted proxy, if the peer itself is one. A hop
    that is not an address (`unknown`, RFC 7239's obfuscated names) ends the search: anything left of it may
    be forged.
    """
    # `remote_ip` is the peer itself, because the server does not read X-Forwarded-For (xheaders is off).
    address = address_of(request.remote_ip or LOOPBACK)
    if address is None:
        return str(request.remote_ip)
    for hop in reversed(_hops(request)):
        if not is_trusted(address, trusted):
            break
        candidate = address_of(hop)
        if candidate is None:
            break
        address = candidate
    return str(address)


def ignored_forwarding(request: HTTPServerRequest, trusted: tuple[IpNetwork, ...]) -> str | None:
    """What is wrong with the proxy's headers: a cause of `handlers.http.misconfigurations`, or None."""
    headers = request.headers
    if "X-Forwarded-For" not in headers and "Forwarded" not in headers:
        return None
    peer = address_of(request.remote_ip or LOOPBACK)
    if peer is None or not is_trusted(peer, trusted):
        return "proxy"
    hops = _hops(request)
    return "proxy_header" if not hops or address_of(hops[-1]) is None else None


def has_other_forwarding(request: HTTPServerRequest) -> bool:
    """Whether a proxy seems to pass the client's address on, but in none of the two headers for it."""
    return not OTHER_FORWARDING.isdisjoint(request.headers)


def comes_further(request: HTTPServerRequest, address: str) -> bool:
    """Whether hops are left of the one that counts as the client: it passes requests on itself."""
    known = [str(address_of(hop)) for hop in _hops(request)]
    return address in known[1:]


@lru_cache(maxsize=4096)
def address_of(text: str) -> IpAddress | None:
    """The address of a hop or a peer, without port, brackets, quotes or zone; IPv4-mapped addresses become
    IPv4.
    """
    found = HOP.fullmatch(text.strip().strip('"'))
    if found is None:
        return None
    try:
        address = ipaddress.ip_address(found["v6"] or found["v4"] or found["plain"])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _hops(request: HTTPServerRequest) -> list[str]:
    """The hops of all X-Forwarded-For headers, in order, without empty ones (RFC 9110, 5.6.1)."""
    # Several headers of that name have been joined by commas.
    return [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]


def is_trusted(address: IpAddress, trusted: tuple[IpNetwork, ...]) -> bool:
    return any(address in network for network in trusted)
