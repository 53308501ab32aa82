"""What the proxy passes on to the site: WebSockets, the client's address, large bodies, events. Blocking."""

from __future__ import annotations

import base64
import re
import secrets
import struct
import zlib
from collections.abc import Mapping

import msgspec

from models.checks.lines import Line, faults, fine, wrong
from models.checks.public_address import Answer, PublicAddress, Unreachable
from models.settings.config import Config

# A photo of the size that the site accepts; many proxies refuse bodies over 1 MB by default.
PHOTO_BYTES = 7 * 1024 * 1024
FORGED = "203.0.113.77"
PNG_HEAD = 8 + 25
POLICY = re.compile(r"([\w-]+)=(\([^)]*\)|\*|self)")
LEAVE = "Let it leave the site's own headers as they are."


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def check_origin_and_upgrade(config: Config, at: PublicAddress, token: str) -> Line:
    """A WebSocket handshake (RFC 6455) as a page of the site sends it."""
    handshake = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(secrets.token_bytes(16)).decode(),
        "Origin": at.base_url,
        **bearer(token),
    }
    try:
        answer = at.ask("GET", "/ws/invites", handshake)
    except Unreachable as error:
        return wrong("upgrade", f"BASE_URL: no WebSocket opens: {error}.")
    if answer.status == 101:
        return fine("upgrade", "the proxy passes WebSockets on")
    if answer.status == 403:
        return wrong("upgrade", "BASE_URL: the running site has another BASE_URL and refuses this origin.")
    text = f"proxy: it does not pass WebSocket upgrades on (status {answer.status})"
    return wrong("upgrade", f"{text}. Use HTTP/1.1 and pass Upgrade and Connection on for /ws/.")


class Seen(msgspec.Struct, frozen=True, rename="camel"):
    """GET /connection."""

    address: str
    peer: str
    is_trusted: bool
    is_forwarded: bool
    base_url: str
    # Whether the address is that of a further proxy.
    is_further: bool = False


def check_headers(config: Config, at: PublicAddress) -> list[Line]:
    """What the proxy does to the headers of a page."""
    try:
        found = altered(at.ask("GET", "/", {"Accept": "text/html"}).headers)
    except Unreachable as error:
        found = [f"BASE_URL: {error}."]
    return faults("headers", found, "the proxy leaves those of the site as they are")


def altered(headers: Mapping[str, str]) -> list[str]:
    """Changes that break the site. Several lines of one name are joined by commas; of Permissions-Policy and
    Referrer-Policy the last one counts, of Content-Security-Policy all do.
    """
    found = []
    permissions = dict(POLICY.findall(headers.get("permissions-policy", "")))
    lacking = [
        feature
        for feature in ("camera", "microphone")
        if not re.search(r"self|\*", permissions.get(feature, "self"))
    ]
    if lacking:
        found.append(f"proxy: its Permissions-Policy gives pages no {' and no '.join(lacking)}. {LEAVE}")
    if headers.get("referrer-policy", "").rpartition(",")[2].strip() == "no-referrer":
        text = "proxy: by its Referrer-Policy: no-referrer browsers hide their origin, and forms are refused"
        found.append(f"{text}. {LEAVE}")
    if "," in headers.get("content-security-policy", ""):
        found.append(f"proxy: it adds a Content-Security-Policy, and browsers apply both. {LEAVE}")
    return found


def check_forwarding(config: Config, at: PublicAddress, token: str) -> list[Line]:
    """The client's address as the site sees it, and whether it can be forged."""
    try:
        plain, forged = (
            at.ask("GET", "/connection", bearer(token) | more) for more in ({}, {"X-Forwarded-For": FORGED})
        )
    except Unreachable as error:
        return [wrong("forwarding", f"BASE_URL: {error}.")]
    if plain.status != 200 or forged.status != 200:
        text = "BASE_URL: the site there uses another database (DATABASE_URL, DATA_DIR; a demo has its own)"
        return [wrong("forwarding", f"{text}, or the proxy removes Authorization (status {plain.status}).")]
    return _judge_forwarding(
        msgspec.json.decode(plain.body, type=Seen), msgspec.json.decode(forged.body, type=Seen), at
    )


def _judge_forwarding(plain: Seen, forged: Seen, at: PublicAddress) -> list[Line]:
    if plain.base_url != at.base_url:
        return [wrong("forwarding", "BASE_URL: the running site was started with another one. Restart it.")]
    if plain.is_forwarded and not plain.is_trusted:
        text = f"TRUSTED_PROXIES: requests come from {plain.peer} with X-Forwarded-For and it is not named"
        return [wrong("forwarding", f"{text} there: all visitors share one address and its limits.")]
    if plain.is_further:
        text = f"TRUSTED_PROXIES: requests also pass {plain.address}, which it does not name"
        return [wrong("forwarding", f"{text}: all visitors share one address and its limits.")]
    if forged.address == FORGED:
        text = "TRUSTED_PROXIES: a client can forge its address: it names too much, or the proxy passes on"
        return [wrong("forwarding", f"{text} X-Forwarded-For without adding the client's address.")]
    if plain.is_trusted and not plain.is_forwarded and at.is_tls:
        text = f"proxy: {plain.peer} sends no X-Forwarded-For: all visitors share its address and its limits"
        return [wrong("forwarding", f"{text}. Let it append the client's address.")]
    return [fine("forwarding", f"the site sees {plain.address}, and it cannot be forged")]


def check_upload(
    config: Config, at: PublicAddress, token: str, picture: bytes, *, size: int = PHOTO_BYTES
) -> Line:
    """A selfie as large as the site accepts one; it becomes the caller's picture."""
    edge = secrets.token_hex(16)
    head = f'--{edge}\r\nContent-Disposition: form-data; name="selfie"; filename="a.png"\r\n'.encode()
    body = b"".join(
        (head, b"Content-Type: image/png\r\n\r\n", padded(picture, size), f"\r\n--{edge}--\r\n".encode())
    )
    headers = bearer(token) | {"Content-Type": f"multipart/form-data; boundary={edge}"}
    try:
        answer = at.ask("POST", "/media/selfie", headers, body)
    except Unreachable as error:
        return wrong("upload", f"proxy: an upload of {size >> 20} MB breaks off: {error}.")
    if answer.status == 201:
        return fine("upload", f"a photo of {size >> 20} MB arrives")
    if answer.status == 413 and not answer.code:
        return wrong(
            "upload", f"proxy: it refuses bodies of {size >> 20} MB (client_max_body_size). Allow 51 MB."
        )
    if answer.code:
        text = f"site: it does not take our own picture ({answer.status}, {answer.code})"
        return wrong("upload", f"{text}. Its log has the cause.")
    return wrong("upload", f"proxy: an upload of {size >> 20} MB is answered {answer.status}.")


def padded(png: bytes, size: int) -> bytes:
    """The picture with a private chunk that decoders skip (PNG, 5.4), so that it has about `size` bytes."""
    data = bytes(max(0, size - len(png)))
    chunk = struct.pack(">I", len(data)) + b"paDd" + data + struct.pack(">I", zlib.crc32(b"paDd" + data))
    return png[:PNG_HEAD] + chunk + png[PNG_HEAD:]


def deliver_event(at: PublicAddress, payload: bytes, signature: str) -> Answer:
    """Raises: Unreachable."""
    headers = {"Stripe-Signature": signature, "Content-Type": "application/json"}
    return at.ask("POST", "/payment/webhook", headers, payload)
