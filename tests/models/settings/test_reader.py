"""How one setting is read: a usable value or a noted fault, never an exception."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.settings.faults import Faults
from models.settings.reader import SettingsReader

Read = Callable[[SettingsReader], Any]


def read(value: str | None, how: Read) -> tuple[Any, list[str]]:
    faults = Faults()
    environment = {} if value is None else {"NAME": value}
    return how(SettingsReader(environment, faults)), list(faults)


@pytest.mark.parametrize(
    ("how", "value", "expected"),
    [
        (lambda r: r.text("NAME", "default"), " x ", "x"),
        (lambda r: r.text("NAME", "default"), "  ", "default"),
        (lambda r: r.text("NAME", "default"), None, "default"),
        (lambda r: r.integer("NAME", 5, 1, 9), "9", 9),
        (lambda r: r.integer("NAME", 5, 1, 9), "", 5),
        (lambda r: r.flag("NAME"), "Yes", True),
        (lambda r: r.flag("NAME"), "0", False),
        (lambda r: r.flag("NAME"), None, False),
        (lambda r: r.choice("NAME", ("a", "b"), "a"), "B", "b"),
        (lambda r: r.url("NAME", ("redis", "unix")), "unix:///x.sock?db=1", "unix:///x.sock?db=1"),
        (lambda r: r.secret("NAME", 4), "äöüß", "äöüß"),
        (lambda r: r.origins("NAME"), " https://A.example ,http://[::1]:3000,",
         ("https://a.example", "http://[::1]:3000")),
        (lambda r: [str(n) for n in r.networks("NAME")], "10.0.0.0/8, ::1", ["10.0.0.0/8", "::1/128"]),
        (lambda r: r.stun_urls("NAME", ("stun:d",)), "stun:a:3478,stuns:b", ("stun:a:3478", "stuns:b")),
        (lambda r: r.stun_urls("NAME", ("stun:d",)), "none", ()),
        (lambda r: r.stun_urls("NAME", ("stun:d",)), "", ()),
        (lambda r: r.stun_urls("NAME", ("stun:d",)), None, ("stun:d",)),
        (lambda r: r.api_base("NAME", "https://d"), "http://127.0.0.1:9", "http://127.0.0.1:9"),
        (lambda r: r.mail_address("NAME"), "hello@sky.example", "hello@sky.example"),
        (lambda r: r.integer("NAME", 5, 1, 9), "09", 9),
        (lambda r: r.integer("NAME", 5, 1, 9), "9\r\n", 9),
        (lambda r: r.secret("NAME", 4), '"abc"', '"abc"'),
        (lambda r: r.turn_urls("NAME"), "TURN:a?transport=UDP,", ("turn:a?transport=udp",)),
        (lambda r: [str(n) for n in r.networks("NAME")], "::ffff:10.0.0.0/104, fe80::1%eth0, [::1],",
         ["10.0.0.0/8", "fe80::1/128", "::1/128"]),
    ],
)  # fmt: skip
def test_valid_values(how: Read, value: str | None, expected: object) -> None:
    assert read(value, how) == (expected, [])


@pytest.mark.parametrize(
    ("how", "value", "default"),
    [
        (lambda r: r.integer("NAME", 5, 1, 9), "10", 5),
        (lambda r: r.integer("NAME", 5, 1, 9), "+7", 5),
        (lambda r: r.integer("NAME", 5, 1, 9), "7_0", 5),
        (lambda r: r.flag("NAME"), "on fire", False),
        (lambda r: r.choice("NAME", ("a", "b"), "a"), "c", "a"),
        (lambda r: r.url("NAME", ("redis",)), "redis:x", None),
        (lambda r: r.url("NAME", ("redis",)), "redis://x:port", None),
        (lambda r: r.secret("NAME", 4), "abc", None),
        (lambda r: r.origins("NAME"), "https://a.example/path", ()),
        (lambda r: r.networks("NAME"), "10.0.0.0/99", ()),
        (lambda r: r.stun_urls("NAME", ("stun:d",)), "http://x", ("stun:d",)),
        (lambda r: r.api_base("NAME", "https://d"), "http://api.example", "https://d"),
        (lambda r: r.mail_address("NAME"), "Sky <a@sky.example>", None),
        (lambda r: r.integer("NAME", 5, 0, 9), "0" * 30 + "9999", 5),
        (lambda r: r.integer("NAME", 5, 0, 9), "0" * 5000, 5),
        (lambda r: r.integer("NAME", 5, 1, 9), "NaN", 5),
        (lambda r: r.integer("NAME", 5, 1, 9), "٧", 5),
        (lambda r: r.integer("NAME", 5, 1, 9), "-7", 5),
        (lambda r: r.choice("NAME", ("a", "b"), "a"), '"b"', "a"),
        (lambda r: r.base_url("NAME", "http://d"), "'https://x.example'", "http://d"),
        (lambda r: r.text("NAME", "d"), "one\ntwo", "d"),
        (lambda r: r.text("NAME", "d"), "zero\u200bwidth", "d"),
        (lambda r: r.text("NAME", "d"), "bytes \udcff", "d"),
        (lambda r: r.text("NAME", "d"), "x" * 20_000, "d"),
        (lambda r: r.networks("NAME"), "proxy.example", ()),
        (lambda r: r.turn_urls("NAME"), "turn:a:99999", ()),
        (lambda r: r.stun_urls("NAME", ()), "stun:a?transport=udp", ()),
    ],
)
def test_invalid_values(how: Read, value: str, default: object) -> None:
    found, faults = read(value, how)
    assert found == default
    assert len(faults) == 1
    assert faults[0].startswith("NAME must ")
    assert value not in faults[0]


@pytest.mark.parametrize(
    ("how", "value", "cause"),
    [
        (lambda r: r.integer("NAME", 5, 1, 9), "7 # days", "without a comment"),
        (lambda r: r.base_url("NAME", "http://d"), "https://x.example # ours", "without a comment"),
        (lambda r: r.choice("NAME", ("a", "b"), "a"), "b #", "without a comment"),
        (lambda r: r.integer("NAME", 5, 1, 9), "tcp://10.3.2.1:3478", "Kubernetes"),
        (lambda r: r.certificates("NAME"), "/no/such/file", "file of certificates in PEM form"),
        (lambda r: r.certificates("NAME"), "/etc/passwd", "file of certificates in PEM form"),
    ],
)
def test_the_cause_is_named(how: Read, value: str, cause: str) -> None:
    assert cause in read(value, how)[1][0]


def test_a_hash_belongs_to_a_line_and_to_a_secret() -> None:
    assert read("Main Street 1, Suite # 5", lambda it: it.line("NAME")) == ("Main Street 1, Suite # 5", [])
    assert read("long # enough", lambda it: it.secret("NAME", 4)) == ("long # enough", [])


def test_a_text_file_must_exist_and_be_text(tmp_path: Path) -> None:
    good, binary, large = (tmp_path / name for name in ("terms.md", "binary", "large"))
    good.write_text("# Terms")
    binary.write_bytes(b"\xff\xfe")
    large.write_bytes(b"x" * (256 * 1024 + 1))
    assert read(str(good), lambda it: it.text_file("NAME")) == (good, [])
    assert read(None, lambda it: it.text_file("NAME")) == (None, [])
    for bad in (binary, large, tmp_path, tmp_path / "none"):
        found, faults = read(str(bad), lambda it: it.text_file("NAME"))
        assert found is None
        assert faults == ["NAME must be a readable text file (UTF-8, at most 256 KiB)"]
