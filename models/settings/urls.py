"""Settings that are URLs of services, each parsed by the rules of its client.

A URL is split once. A user or a password that contains a delimiter has to be percent-encoded (RFC 3986, 2.1):
otherwise the URL would silently mean another host, port or database, so it is rejected.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
# A name that resolvers look up: Chromium's, and glibc's.
NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
LABEL = "[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?"
MAIL_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z){LABEL}(?:\.{LABEL})+")
ATOM = "[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+"
LOCAL_PART = re.compile(rf"(?=.{{1,64}}\Z)(?!mailto:)(?!.*[$][{{]){ATOM}(?:\.{ATOM})*")
MAIL_PORTS = {"smtp": 587, "smtps": 465}
ENCODED = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*")
DELIMITERS = "must have / ? # @ and % in its user and password percent-encoded (%2F %3F %23 %40 %25)"


class Unusable(ValueError):
    """What is wrong with a value, without the value."""


def mail_address(text: str) -> str:
    """The sender of e-mails, as every mail server takes it (RFC 5321, 4.1.2). Raises: Unusable."""
    local, _, domain = text.rpartition("@")
    if not text.isascii():
        raise Unusable("must be an e-mail address of ASCII characters (a domain of other letters as xn--…)")
    if (
        not LOCAL_PART.fullmatch(local)
        or not MAIL_DOMAIN.fullmatch(domain)
        or domain.rpartition(".")[2].isdigit()
    ):
        raise Unusable("must be a plain e-mail address, like hello@example.com")
    return text


class MailServer(NamedTuple):
    """The server and account of `models.mail.mailer`; `user` is None without sign-in."""

    is_tls: bool
    host: str
    port: int
    user: str | None
    password: str

    @property
    def is_loopback(self) -> bool:
        return self.host in LOOPBACK_NAMES


def mail_server(url: str) -> MailServer:
    """`smtp[s]://[user:password@]host[:port]`, validated as smtplib accepts it. Raises: ValueError."""
    parts = split(url)
    if parts.scheme not in MAIL_PORTS or not parts.hostname:
        raise ValueError("no mail server")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise Unusable("must end after the host and port")
    user, password = credentials(parts)
    if user is not None and not (user.isascii() and password.isascii()):
        raise Unusable("must have a user and a password of ASCII characters: SMTP takes no others")
    if (user is None) != (not password):
        raise Unusable("must name both a user and a password, or neither")
    if not is_host(unquote(parts.hostname)):
        raise Unusable("must have a host name or an address that can exist")
    port = parts.port or MAIL_PORTS[parts.scheme]
    return MailServer(parts.scheme == "smtps", unquote(parts.hostname), port, user, password)


def issuer(text: str) -> str:
    """The issuer of an OpenID Connect provider, exactly as it names itself. Raises: ValueError."""
    parts = split(text)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK_NAMES:
        raise Unusable("must be https:// (plain http only on loopback)")
    if not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    if "/.well-known/" in parts.path:
        raise Unusable("must end before /.well-known/: it is the issuer, which the provider's document names")
    return text


def is_host(text: str) -> bool:
    """Whether it is an address, perhaps with a zone, or a name that can exist, also in other letters."""
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        pass
    else:
        return True
    try:
        name = text.removesuffix(".").encode("idna").decode("ascii")
    except UnicodeError:
        return False
    return bool(NAME.fullmatch(name.lower()))


def split(url: str) -> SplitResult:
    """Raises: Unusable, for an invalid host or port, or unescaped delimiters in user and password."""
    authority, rest = authority_of(url)
    if "@" in rest and "@" not in authority:
        raise Unusable(DELIMITERS)
    if any(character.isspace() for character in url):
        raise Unusable("must not have spaces (in a password a space is %20)")
    place = authority.rpartition("@")[2]
    if place.count(":") > 1 and not place.startswith("["):
        raise Unusable("must have one host and perhaps one port, an IPv6 address in brackets")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Unusable("must have a host name, or an address that is complete") from None
    try:
        is_port = parts.port != 0
    except ValueError:
        is_port = False
    if not is_port:
        raise Unusable("must have a port from 1 to 65535 after the host")
    return parts


def authority_of(url: str) -> tuple[str, str]:
    """The part between `//` and the first `/`, `?` or `#`, and the rest."""
    after = url.partition("://")[2]
    authority = re.split(r"[/?#]", after, maxsplit=1)[0]
    return authority, after[len(authority) :]


def credentials(parts: SplitResult) -> tuple[str | None, str]:
    """The decoded user (None if absent) and password. Raises: Unusable."""
    user, password = decoded(parts.username or ""), decoded(parts.password or "")
    return user or None, password


def decoded(text: str) -> str:
    """The percent-decoded text. Raises: Unusable, for a bare %, bytes that are not UTF-8, control
    characters.
    """
    if not ENCODED.fullmatch(text):
        raise Unusable(DELIMITERS)
    try:
        plain = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise Unusable("must have a user and a password in UTF-8, percent-encoded") from None
    if any(ord(character) < 32 or ord(character) == 127 for character in plain):
        raise Unusable("must not have control characters in its user and password")
    return plain
