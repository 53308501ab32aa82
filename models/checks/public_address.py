"""BASE_URL as this machine reaches it: name, certificate, and whether the site answers there. Blocking.

A machine that cannot reach its own public address (no hairpin NAT) has to run the doctor elsewhere; the text
says so.
"""

from __future__ import annotations

import email.utils
import errno
import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from models.checks.lines import Line, fine, skipped, wrong
from models.settings.config import Config
from models.settings.own_servers import LETS_ENCRYPT, runs_caddy

SECONDS, CONNECT_SECONDS = 10.0, 3.0
NO_WAY = (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
# Certificates are renewed with a third of their life left; some live for days only.
EXPIRY_DAYS = 14
SKEW_SECONDS = 5


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
            names = {name.lower() for name, _ in answer.getheaders()}
            return Answer(answer.status, {name: answer.getheader(name, "") for name in names}, content)
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
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there (the site or its proxy is not running)"
    return f"no usable answer ({type(error).__name__})"


def check_name(config: Config, at: PublicAddress) -> Line:
    try:
        found = {str(one[4][0]) for one in socket.getaddrinfo(at.host, at.port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return wrong("dns", f"BASE_URL: {at.host} is not in the DNS. Add an A (and AAAA) record.")
    silent = [] if config.is_loopback else [one for one in sorted(found) if _is_silent(one, at.port)]
    if silent and len(silent) < len(found):
        text = f"BASE_URL: {at.host} is also {', '.join(silent)} in the DNS, and nothing answers there"
        return wrong(
            "dns", f"{text}: some users cannot open the site. Let it listen there, or remove the record."
        )
    return fine("dns", f"{at.host} is {', '.join(sorted(found))}")


def _is_silent(address: str, port: int) -> bool:
    """False also if this machine has no way to such an address, such as one of IPv6."""
    try:
        socket.create_connection((address, port), CONNECT_SECONDS).close()
    except OSError as error:
        return error.errno not in NO_WAY
    return False


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


def check_authority(config: Config) -> list[Line]:
    """Whether this machine reaches the authority that our Caddy asks for certificates (RFC 8555, 7.1.1).

    The certificate that Caddy has is good for weeks after the last answer.
    """
    if not runs_caddy(config) or config.tls == "internal":
        return []
    setting = "ACME_DIRECTORY" if config.acme_directory else "TLS"
    directory = urlsplit(config.acme_directory or LETS_ENCRYPT)
    text = f"{setting}: the certificate authority {directory.netloc}"
    try:
        answer = PublicAddress(directory._replace(path="", query="").geturl()).ask(
            "GET", directory._replace(scheme="", netloc="").geturl()
        )
    except Unreachable as error:
        return [wrong("authority", f"{text} gives no certificate: {error}. Caddy has to reach it.")]
    if b'"newOrder"' not in answer.body:
        return [wrong("authority", f"{text} has no ACME directory there (status {answer.status}).")]
    return [fine("authority", f"{directory.netloc} answers")]


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
        if answer.status == 401:
            text = "proxy: it asks for a password, so that neither Stripe nor apps reach the site"
            return [wrong("address", f"{text}. Remove its authentication.")]
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
