"""What a request says of itself: its fields and its sender's address."""

from __future__ import annotations

import ipaddress
from typing import Any

import msgspec
from tornado.httputil import HTTPServerRequest

from models.config import Network
from models.errors import BadRequest

LOOPBACK = "127.0.0.1"


def json_fields(body: bytes) -> dict[str, Any]:
    """A JSON object; an empty body counts as `{}`. Raises BadRequest."""
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
    """The last value of each field. Raises BadRequest for bytes that are not UTF-8."""
    try:
        return {name: values[-1].decode() for name, values in arguments.items() if values}
    except UnicodeDecodeError as error:
        raise BadRequest("The form is not valid UTF-8.") from error


def field_of(text: str) -> tuple[str, str]:
    """msgspec's message as (field, plain words): "Expected `int`, got `str` - at `$.age`" -> ("age", …)."""
    if "missing required field" in text:
        return text.split("`")[-2], "This is needed."
    words, _, path = text.partition(" - at `$.")
    return path.rstrip("`").split(".")[0].split("[")[0] or "body", words + "."


def client_address(request: HTTPServerRequest, trusted: tuple[Network, ...]) -> str:
    """The right-most hop of X-Forwarded-For that is not a trusted proxy, and only when the peer itself is
    one.
    """
    # `remote_ip` is the peer itself, for the server does not read X-Forwarded-For (xheaders is off).
    address = request.remote_ip or LOOPBACK
    if not _is_trusted(address, trusted):
        return str(address)
    for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        candidate = hop.strip()
        if not _is_address(candidate):
            break
        address = candidate
        if not _is_trusted(candidate, trusted):
            break
    return str(address)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_trusted(address: str, trusted: tuple[Network, ...]) -> bool:
    if not trusted or not _is_address(address):
        return False
    return any(ipaddress.ip_address(address) in network for network in trusted)
