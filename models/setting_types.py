"""How one setting is read: each reader returns a usable value and notes a fault, so that every fault is told
at once.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

Value = TypeVar("Value")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
TURN_URL = re.compile(
    r"turns?:(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?)(:[0-9]{1,5})?(\?transport=(udp|tcp))?"
)
HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z](?:[0-9A-Za-z._-]*[0-9A-Za-z])?)(:[0-9]{1,5})?")
STRIPE_KEY = re.compile(r"(sk|rk)_(live|test)_[0-9A-Za-z]{8,250}")
ACCOUNT_SID = re.compile(r"AC[0-9A-Za-z]{8,64}")


class Faults(list[str]):
    """`SETTING what is wrong`, never with the value."""

    def add(self, name: str, what: str) -> None:
        self.append(f"{name} {what}")


class SettingsReader:
    """An empty setting counts as absent."""

    def __init__(self, environment: Mapping[str, str], faults: Faults) -> None:
        self._environment = environment
        self._faults = faults

    def raw(self, name: str) -> str | None:
        value = self._environment.get(name, "").strip()
        return value or None

    def text(self, name: str, default: str) -> str:
        return self.raw(name) or default

    def _parsed(self, name: str, default: Value, parse: Callable[[str], Value], what: str) -> Value:
        value = self.raw(name)
        if value is None:
            return default
        try:
            return parse(value)
        except ValueError:
            self._faults.add(name, what)
            return default

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        def parse(value: str) -> int:
            if not value.isascii() or not value.isdigit() or not least <= int(value[:20]) <= most:
                raise ValueError
            return int(value)

        return self._parsed(name, default, parse, f"must be a whole number from {least} to {most}")

    def text_file(self, name: str) -> Path | None:
        """A file of text in UTF-8 that can be read, at most 256 KiB."""

        def parse(value: str) -> Path | None:
            file = Path(value)
            try:
                if not file.is_file() or file.stat().st_size > 256 * 1024:
                    raise ValueError
                file.read_text(encoding="utf-8")
            except OSError as error:
                raise ValueError from error
            return file

        return self._parsed(name, None, parse, "must be a readable text file (UTF-8, at most 256 KiB)")

    def flag(self, name: str) -> bool:
        known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

        def parse(value: str) -> bool:
            if value.lower() not in known:
                raise ValueError
            return known[value.lower()]

        return self._parsed(name, False, parse, "must be true or false")

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        def parse(value: str) -> str:
            if value.lower() not in choices:
                raise ValueError
            return value.lower()

        return self._parsed(name, default, parse, f"must be one of: {', '.join(choices)}")

    def url(self, name: str, schemes: tuple[str, ...]) -> str | None:
        def parse(value: str) -> str:
            if _split(value).scheme not in schemes or "://" not in value:
                raise ValueError
            return value

        return self._parsed(
            name, None, parse, f"must be a URL that starts with {' or '.join(s + '://' for s in schemes)}"
        )

    def secret(self, name: str, least: int) -> str | None:
        def parse(value: str) -> str:
            if len(value) < least:
                raise ValueError
            return value

        return self._parsed(name, None, parse, f"must have at least {least} characters")

    def secrets(self, name: str) -> tuple[str, ...]:
        """Comma-separated, so that a secret can be rotated without a gap."""

        def parse(value: str) -> tuple[str, ...]:
            parts = _listed(value)
            if not all(part.startswith("whsec_") and len(part) > 12 for part in parts):
                raise ValueError
            return parts

        return self._parsed(name, (), parse, "must be a webhook signing secret, which begins with whsec_")

    def stripe_key(self, name: str) -> str | None:
        """A secret or restricted key; the publishable one and a webhook's secret are mixed up easily."""

        def parse(value: str) -> str:
            if not STRIPE_KEY.fullmatch(value):
                raise ValueError
            return value

        return self._parsed(name, None, parse, "must be a secret key, which begins with sk_live_ or sk_test_")

    def base_url(self, name: str, default: str) -> str:
        return self._parsed(name, default, _base_url, "must be http(s)://host[:port] without a path")

    def api_base(self, name: str, default: str) -> str:
        def parse(value: str) -> str:
            parts = _split(value)
            if parts.scheme != "https" and parts.hostname not in LOOPBACK_NAMES:
                raise ValueError
            return _base_url(value)

        return self._parsed(
            name, default, parse, "must be https:// (plain http only on loopback), without a path"
        )

    def origins(self, name: str) -> tuple[str, ...]:
        return self._parsed(
            name,
            (),
            lambda value: tuple(map(_base_url, _listed(value))),
            "must be origins like https://example.com",
        )

    def mail_address(self, name: str) -> str | None:
        def parse(value: str) -> str:
            if not re.fullmatch(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+\.[^\s@<>,;\"]+", value):
                raise ValueError
            return value

        return self._parsed(name, None, parse, "must be a plain e-mail address, like hello@example.com")

    def networks(self, name: str) -> tuple[Network, ...]:
        return self._parsed(
            name,
            (),
            lambda value: tuple(map(ipaddress.ip_network, _listed(value))),
            "must be addresses or networks",
        )

    def stun_urls(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """`none` switches STUN off."""

        def parse(value: str) -> tuple[str, ...]:
            parts = () if value.lower() == "none" else _listed(value)
            if not all(part.startswith(("stun:", "stuns:")) for part in parts):
                raise ValueError
            return parts

        # Set but empty means: no STUN at all, as the contract allows.
        if name in self._environment and self.raw(name) is None:
            return ()
        return self._parsed(name, default, parse, "must be stun: addresses, or none")

    def turn_urls(self, name: str) -> tuple[str, ...]:
        """Addresses of one TURN service, as RFC 7065 writes them, in the order in which they are offered."""

        def parse(value: str) -> tuple[str, ...]:
            parts = _listed(value)
            if not all(TURN_URL.fullmatch(part) for part in parts):
                raise ValueError
            return parts

        return self._parsed(
            name, (), parse, "must be turn: or turns: addresses like turn:turn.example.com:3478"
        )

    def account_sid(self, name: str) -> str | None:
        def parse(value: str) -> str:
            if not ACCOUNT_SID.fullmatch(value):
                raise ValueError
            return value

        return self._parsed(name, None, parse, "must be a Twilio account SID, which begins with AC")


def _listed(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _split(value: str) -> SplitResult:
    parts = urlsplit(value)
    parts.port  # noqa: B018  raises ValueError for a port that is none
    return parts


def _base_url(value: str) -> str:
    parts = _split(value)
    plain = parts.path in ("", "/") and not parts.query and not parts.fragment
    if parts.scheme not in ("http", "https") or not HOST.fullmatch(parts.netloc) or not plain:
        raise ValueError
    return f"{parts.scheme}://{parts.netloc}".lower()
