"""Readers of single settings: each returns a usable value and notes a fault.

All faults are reported at once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from models.settings import database_url, redis_url, stripe_values
from models.settings.faults import Faults
from models.settings.ice_urls import stun_url, turn_url
from models.settings.limits import whole_number
from models.settings.networks import IpNetwork, listening_host, network, plain_address
from models.settings.paths import certificates, plain_path, text_file
from models.settings.site_addresses import reachable_origin, site_origin
from models.settings.urls import Unusable, mail_address, mail_server, split
from models.settings.web_origins import LOOPBACK_HOSTS, host_of

Value = TypeVar("Value")
ACCOUNT_SID = re.compile(r"AC[0-9A-Za-z]{8,64}")
# Control characters, invisible marks, lone surrogates (bytes that are not UTF-8), line separators.
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
MOST_CHARACTERS = 16 * 1024
PLACEHOLDER = re.compile(r"\$\{[^}]*\}+|\{\{.*\}\}|<[^<>]*>")
COMMENT = re.compile(r"\s#(?:\s|\Z)")
MOST_LINE = 200


class SettingsReader:
    """Reads settings from the environment. An empty setting counts as absent."""

    def __init__(self, environment: Mapping[str, str], faults: Faults) -> None:
        self._environment = environment
        self._faults = faults

    def raw(self, name: str) -> str | None:
        value = self._environment.get(name, "").strip()
        return value or None

    def _usable(self, name: str, *, quotes: bool = False, hashes: bool = False) -> str | None:
        """The value, unless it has a fault that is independent of its meaning."""
        value = self.raw(name)
        if value is None:
            return None
        if any(unicodedata.category(character) in INVISIBLE for character in value):
            self._faults.add(name, "must not have invisible or control characters, and must be UTF-8")
        elif len(value) > MOST_CHARACTERS:
            self._faults.add(name, f"must not have more than {MOST_CHARACTERS} characters")
        elif not quotes and len(value) > 1 and value[0] == value[-1] and value[0] in "\"'`":
            self._faults.add(name, "must be written without quotes (docker --env-file keeps them)")
        elif not (quotes or hashes) and COMMENT.search(value):
            self._faults.add(name, "must be written without a comment behind it (docker --env-file keeps it)")
        elif PLACEHOLDER.fullmatch(value):
            self._faults.add(name, "must have its real value: a placeholder is there that nothing filled in")
        else:
            return value
        return None

    def text(self, name: str, default: str) -> str:
        return self._usable(name) or default

    def _parsed(self, name: str, default: Value, parse: Callable[[str], Value], what: str) -> Value:
        value = self._usable(name)
        if value is None:
            return default
        try:
            return parse(value)
        except Unusable as error:
            self._faults.add(name, str(error))
        except ValueError:
            self._faults.add(name, what)
        return default

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        what = f"must be a whole number from {least} to {most}"
        return self._parsed(name, default, lambda value: whole_number(value, least, most), what)

    def line(self, name: str) -> str | None:
        """A text for pages, in which a # may stand."""
        value = self._usable(name, hashes=True)
        if value is not None and len(value) > MOST_LINE:
            self._faults.add(name, f"must have at most {MOST_LINE} characters")
        return value

    def text_file(self, name: str) -> Path | None:
        return self._parsed(name, None, text_file, "must be a readable text file (UTF-8, at most 256 KiB)")

    def directory(self, name: str, default: str) -> Path:
        return self._parsed(name, Path(default), lambda text: plain_path(text).absolute(), "must be a path")

    def certificates(self, name: str) -> Path | None:
        return self._parsed(name, None, certificates, "must be a file of certificates")

    def optional_path(self, name: str) -> Path | None:
        return self._parsed(name, None, plain_path, "must be a path")

    def flag(self, name: str) -> bool:
        known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

        def parse(value: str) -> bool:
            if value.lower() not in known:
                raise ValueError
            return known[value.lower()]

        return self._parsed(name, False, parse, "must be true or false")

    def percent(self, name: str) -> Decimal | None:
        def parse(value: str) -> Decimal:
            if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,2})?", value):
                raise ValueError
            return Decimal(value)

        return self._parsed(name, None, parse, "must be a number from 0 to 99.99")

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        def parse(value: str) -> str:
            if value.lower() not in choices:
                raise ValueError
            return value.lower()

        return self._parsed(name, default, parse, f"must be one of: {', '.join(choices)}")

    def url(
        self, name: str, schemes: tuple[str, ...], judge: Callable[[str], object] | None = None
    ) -> str | None:
        """`judge` parses the URL as its user does, and raises ValueError."""

        def parse(value: str) -> str:
            if not value.startswith(tuple(f"{scheme}://" for scheme in schemes)):
                raise ValueError
            split(value)
            if judge is not None:
                judge(value)
            return value

        return self._parsed(
            name, None, parse, f"must be a URL that starts with {' or '.join(s + '://' for s in schemes)}"
        )

    def mail_url(self, name: str) -> str | None:
        return self.url(name, ("smtp", "smtps"), mail_server)

    def redis_url(self, name: str) -> str | None:
        return self.url(name, ("redis", "rediss", "unix"), redis_url.judged)

    def database_url(self, name: str) -> str | None:
        return self._parsed(name, None, database_url.judged, "must be a libpq URL")

    def secret(self, name: str, least: int) -> str | None:
        """Any characters are significant, even quotes: keys are derived from the exact text."""
        value = self._usable(name, quotes=True)
        if value is None or len(value) >= least:
            return value
        self._faults.add(name, f"must have at least {least} characters")
        return None

    def webhook_secrets(self, name: str) -> tuple[str, ...]:
        """Comma-separated, so that a secret can be rotated without downtime."""
        what = "must be a webhook signing secret, which begins with whsec_"
        return self._parsed(name, (), lambda value: stripe_values.webhook_secrets(_listed(value)), what)

    def stripe_key(self, name: str) -> str | None:
        what = "must be a secret key, which begins with sk_live_ or sk_test_"
        return self._parsed(name, None, stripe_values.api_key, what)

    def statement_suffix(self, name: str) -> str | None:
        what = "must have 2 to 18 plain letters, digits, spaces, dots or dashes, and at least one letter"
        return self._parsed(name, None, stripe_values.statement_suffix, what)

    def base_url(self, name: str, default: str) -> str:
        return self._parsed(name, default, site_origin, "must be http(s)://host[:port] without a path")

    def api_base(self, name: str, default: str) -> str:
        def parse(value: str) -> str:
            base = reachable_origin(value)
            if not base.startswith("https://") and host_of(base) not in LOOPBACK_HOSTS:
                raise ValueError
            return base

        what = "must be https:// (plain http only on loopback), without a path"
        return self._parsed(name, default, parse, what)

    def origins(self, name: str) -> tuple[str, ...]:
        return self._parsed(
            name,
            (),
            lambda value: tuple(map(site_origin, _listed(value))),
            "must be origins like https://example.com",
        )

    def mail_address(self, name: str) -> str | None:
        return self._parsed(name, None, mail_address, "must be an e-mail address")

    def host(self, name: str, default: str) -> str:
        return self._parsed(name, default, listening_host, "must be an address")

    def networks(self, name: str) -> tuple[IpNetwork, ...]:
        return self._parsed(
            name,
            (),
            lambda value: tuple(map(network, _listed(value))),
            "must be addresses or networks",
        )

    def address(self, name: str) -> str | None:
        return self._parsed(name, None, plain_address, "must be an IP address like 198.51.100.7")

    def stun_urls(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """`none` switches STUN off."""

        def parse(value: str) -> tuple[str, ...]:
            return () if value.lower() == "none" else tuple(map(stun_url, _listed(value)))

        # Set but empty means: no STUN at all, as the protocol allows.
        if name in self._environment and self.raw(name) is None:
            return ()
        return self._parsed(name, default, parse, "must be stun: addresses, or none")

    def turn_urls(self, name: str) -> tuple[str, ...]:
        """The URLs of one TURN service, in order of preference."""
        return self._parsed(
            name, (), lambda value: tuple(map(turn_url, _listed(value))), "must be turn: or turns: addresses"
        )

    def account_sid(self, name: str) -> str | None:
        def parse(value: str) -> str:
            if not ACCOUNT_SID.fullmatch(value):
                raise ValueError
            return value

        return self._parsed(name, None, parse, "must be a Twilio account SID, which begins with AC")


def _listed(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())
