"""BASE_URL as this machine reaches it: name, certificate, answers, and what the proxy passes on. Blocking.

A machine that cannot reach its own public address (no hairpin NAT) has to run the doctor elsewhere; the text
says so.
"""

from __future__ import annotations

import base64
import email.utils
import http.client
import secrets
import socket
import ssl
import struct
import time
import zlib
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from models.checks.lines import Line, fine, skipped, wrong
from models.settings.config import Config

SECONDS = 10.0
# Certificates are renewed with a third of their life left; some live for days only.
EXPIRY_DAYS = 14
SKEW_SECONDS = 5
# A photo of the size that the site accepts; many proxies refuse bodies over 1 MB by default.
PHOTO_BYTES = 7 * 1024 * 1024
FORGED = "203.0.113.77"
PNG_HEAD = 8 + 25


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The error code of our own JSON, or empty: a proxy answered."""
        try:
            return str(msgspec.json.decode(self.body)["error"]["code"])
        except (msgspec.MsgspecError, KeyError, TypeError, UnicodeDecodeError):
            return ""


class Unreachable(Exception):
    """No answer; the text is for the operator."""


class PublicAddress:
    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self.base_url, self.is_tls = base_url, parts.scheme == "https"
        self.host = parts.hostname or ""
        self.port = parts.port or (443 if self.is_tls else 80)

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Raises: Unreachable."""
        kind = http.client.HTTPSConnection if self.is_tls else http.client.HTTPConnection
        connection = kind(self.host, self.port, timeout=SECONDS)
        try:
            connection.request(method, path, body, {"Accept": "application/json", **(headers or {})})
            answer = connection.getresponse()
            content = b"" if answer.status == 101 else answer.read(64 * 1024)
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, content)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(cause_of(error)) from error
        finally:
            connection.close()


def cause_of(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return "the port does not answer in TLS"
    if isinstance(error, socket.gaierror):
        return "its name is not in the DNS"
    if isinstance(error, TimeoutError):
        return "nothing answers in time (a firewall; or this machine cannot reach its own public address)"
    if isinstance(error, ConnectionError):
        return "nothing listens there (the site or its proxy is not running)"
    return f"no usable answer ({type(error).__name__})"


def check_name(config: Config, at: PublicAddress) -> Line:
    try:
        found = {str(one[4][0]) for one in socket.getaddrinfo(at.host, at.port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return wrong("dns", f"BASE_URL: {at.host} is not in the DNS. Add an A (and AAAA) record.")
    return fine("dns", f"{at.host} is {', '.join(sorted(found))}")


def check_certificate(config: Config, at: PublicAddress) -> Line:
    if not at.is_tls and config.is_loopback:
        return skipped("certificate", "BASE_URL is on this machine, without TLS")
    if not at.is_tls:
        return wrong("certificate", "BASE_URL: it is http, and browsers give a camera to https pages only.")
    try:
        with (
            socket.create_connection((at.host, at.port), SECONDS) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=at.host) as secure,
        ):
            certificate = secure.getpeercert() or {}
        begins, ends = (
            ssl.cert_time_to_seconds(str(certificate[name])) for name in ("notBefore", "notAfter")
        )
    except (OSError, ValueError, KeyError) as error:
        return wrong("certificate", f"BASE_URL (TLS): {cause_of(error)}.")
    left = ends - time.time()
    days = f"{left / 86400:.0f} days" if left > 2 * 86400 else f"{left / 3600:.0f} hours"
    if left < min(EXPIRY_DAYS * 86400, (ends - begins) / 6):
        return wrong("certificate", f"TLS: the certificate ends in {days}. Its renewal does not work.")
    return fine("certificate", f"accepted, for {days} more")


def check_answer(config: Config, at: PublicAddress) -> list[Line]:
    """Whether the address leads to this site, and its clock (RFC 9110, Date)."""
    try:
        answer = at.ask("GET", "/healthz")
    except Unreachable as error:
        return [wrong("address", f"BASE_URL: {error}.")]
    if answer.status in (301, 302, 307, 308):
        return [
            wrong("address", "BASE_URL: it redirects elsewhere. Set BASE_URL to where the site is served.")
        ]
    if answer.status != 200 or b'"ok"' not in answer.body:
        text = f"BASE_URL: something else answers there (status {answer.status}), or the proxy finds no site"
        return [wrong("address", f"{text}. Check the proxy's upstream, HOST and PORT.")]
    return [fine("address", f"{at.base_url} answers"), _clock(answer)]


def _clock(answer: Answer) -> Line:
    told = email.utils.parsedate_to_datetime(answer.headers.get("date", email.utils.formatdate()))
    apart = abs(time.time() - told.timestamp())
    if apart > SKEW_SECONDS:
        return wrong(
            "clock", f"clock: this machine's and the site's differ by {apart:.0f} s. Set both by NTP."
        )
    return fine("clock", "this machine's and the site's agree")


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


def check_forwarding(config: Config, at: PublicAddress, token: str) -> list[Line]:
    """The client's address as the site sees it, and whether it can be forged."""
    try:
        plain, forged = (
            at.ask("GET", "/connection", bearer(token) | more) for more in ({}, {"X-Forwarded-For": FORGED})
        )
    except Unreachable as error:
        return [wrong("forwarding", f"BASE_URL: {error}.")]
    if plain.status != 200 or forged.status != 200:
        text = "BASE_URL: the site there uses another database, or the proxy removes Authorization"
        return [wrong("forwarding", f"{text} (DATABASE_URL; status {plain.status}).")]
    return _judge_forwarding(
        msgspec.json.decode(plain.body, type=Seen), msgspec.json.decode(forged.body, type=Seen), at
    )


def _judge_forwarding(plain: Seen, forged: Seen, at: PublicAddress) -> list[Line]:
    if plain.base_url != at.base_url:
        return [wrong("forwarding", "BASE_URL: the running site was started with another one. Restart it.")]
    if plain.is_forwarded and not plain.is_trusted:
        text = f"TRUSTED_PROXIES: requests come from {plain.peer} with X-Forwarded-For and it is not named"
        return [wrong("forwarding", f"{text} there: all visitors share one address and its limits.")]
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
    return wrong(
        "upload", f"proxy: an upload of {size >> 20} MB is answered {answer.status} ({answer.code})."
    )


def padded(png: bytes, size: int) -> bytes:
    """The picture with a private chunk that decoders skip (PNG, 5.4), so that it has about `size` bytes."""
    data = bytes(max(0, size - len(png)))
    chunk = struct.pack(">I", len(data)) + b"paDd" + data + struct.pack(">I", zlib.crc32(b"paDd" + data))
    return png[:PNG_HEAD] + chunk + png[PNG_HEAD:]


def deliver_event(at: PublicAddress, payload: bytes, signature: str) -> Answer:
    """Raises: Unreachable."""
    headers = {"Stripe-Signature": signature, "Content-Type": "application/json"}
    return at.ask("POST", "/payment/webhook", headers, payload)
