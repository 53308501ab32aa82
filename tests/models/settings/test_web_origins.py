"""Origins in normal form: which are the same to a browser, and which are invalid."""

from __future__ import annotations

import pytest

from models.settings.config import Config
from models.settings.environment import read_config
from models.settings.web_origins import accepted_origins, host_of, normal_base, normal_origin


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("https://x.example", "https://x.example"),
        ("https://x.example:443", "https://x.example"),
        ("https://x.example:0443", "https://x.example"),
        ("http://x.example:80", "http://x.example"),
        ("https://x.example:80", "https://x.example:80"),
        ("http://x.example:443", "http://x.example:443"),
        ("HTTPS://X.Example:8443", "https://x.example:8443"),
        ("https://x.example.", "https://x.example"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://faß.example", "https://xn--fa-hia.example"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://[0:0:0:0:0:0:0:1]:8080", "http://[::1]:8080"),
        ("http://[2001:DB8::0001]", "http://[2001:db8::1]"),
        ("http://[::ffff:1.2.3.4]:80", "http://[::ffff:102:304]"),
        ("http://a_b.example", "http://a_b.example"),
    ],
)
def test_one_normal_form(text: str, normal: str) -> None:
    assert normal_origin(text) == normal
    assert normal_base(text + "/") == normal
    assert normal_origin(normal) == normal


@pytest.mark.parametrize(
    "text",
    ["", "null", "*", "x.example", "//x.example", "https:x.example", "https:///x.example", "https://",
    "https://:443",
     "ftp://x.example", "ws://x.example", "file://", "https://x.example/", "https://x.example/path",
     "https://x.example?",
     "https://x.example#", "https://user@x.example", "https://user:pw@x.example", "https://@x.example",
     "https://x.example https://y.example", "https://x.example,https://x.example",
     "https://x.example, https://y.example",
     "https://x.example:", "https://x.example:x", "https://x.example:0", "https://x.example:65536",
     "https://x.example:-1",
     "https://x.example\\", "https://x\texample", "https://x.example\n", " https://x.example",
     "https://x.example ",
     "https://ex%41mple.com", "https://a..b", "https://.a", "https://a..", "https://.",
     "https://1.2.3.256", "https://[::1",
     "https://::1", "https://[fe80::1%25eth0]", "https://[v1.x]", "https://a<b", "https://a|b",
     "https://a\u0000b",
     "https://a\udcffb", "https://xn--\u00ff", "null null", "javascript:x",
     "https://" + "a." * 30_000 + "example"],
)  # fmt: skip
def test_invalid_origins(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  any kind of it
        normal_origin(text)


@pytest.mark.parametrize(
    "base_url",
    ["https://x.example:443", "HTTPS://X.EXAMPLE", "https://x.example./", "https://x.example:443/"],
)
def test_a_base_url_in_any_form_is_one_origin(base_url: str) -> None:
    read = read_config({"BASE_URL": base_url, "ALLOW_TEST_CHECKOUT": "true"})
    assert read.base_url == "https://x.example"
    assert read.origins == {"https://x.example"}
    assert Config(base_url=base_url).origins == {"https://x.example"}


def test_the_default_base_url_stands_for_all_of_loopback() -> None:
    assert accepted_origins("http://LOCALHOST:80/", (), 80) == {
        "http://localhost", "http://127.0.0.1", "http://[::1]",
    }  # fmt: skip
    assert accepted_origins("http://127.0.0.1:80", (), 80) == {"http://127.0.0.1"}
    assert accepted_origins("https://localhost", (), 443) == {"https://localhost"}


def test_long_origins_are_not_kept() -> None:
    """They are sent by anyone, and one cache is shared by all."""
    normal_origin.cache_clear()
    for number in range(5):
        with pytest.raises(ValueError, match="no origin"):
            normal_origin(f"https://x{number}." + "a." * 200 + "example")
    assert normal_origin.cache_info().currsize == 0
    assert normal_origin("https://" + ".".join(["a" * 50] * 4) + ".example:65535")


def test_hosts() -> None:
    hosts = [
        host_of(one) for one in ("http://[::1]:8080", "http://x.example:8080", "http://[::1]", "http://x")
    ]
    assert hosts == ["[::1]", "x.example", "[::1]", "x"]
