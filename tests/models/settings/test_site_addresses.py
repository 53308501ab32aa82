"""BASE_URL and ALLOWED_ORIGINS: what a browser can open, and why the rest is refused."""

from __future__ import annotations

import pytest

from models.settings.config import ConfigError
from models.settings.environment import read_config
from models.settings.site_addresses import is_secure_context, port_of, site_origin
from models.settings.urls import Unusable

LONGEST = "a." * 122 + "localhost"
USABLE = [
    "https://x.example", "https://x.example/", "http://localhost:8080", "http://[::1]:8080",
    "https://a_b.localhost", "https://a_.localhost", "https://-a.localhost", "https://a-.localhost",
    "https://xn--bcher-kva.example", "https://bücher.example", "https://x.example.", "https://1.2.3",
    "https://intranet", "https://" + "a" * 63 + ".localhost", f"https://{LONGEST}", "https://x.example:0443",
]  # fmt: skip
CAUSES = {
    "wildcard": ["https://*.a.com", "*", "https://*", "*.a.com"],
    "placeholder": ["https://${{HOST}}", "https://$HOST", "https://{host}", "https://<your-domain>",
                    "https://%HOST%"],
    "spaces": ["https://a b.com", "https://a.com;https://b.com", "https://a.com https://b.com",
               "https://a,b.com"],
    "begin with": ["", "a.com", "a.com:8080", "ftp://a.com", "wss://a.com", "//a.com", "https:a.com", "null"],
    "user or a password": ["https://u@a.com", "https://u:p@a.com", "https://@a.com"],
    "without a path": ["https://a.com/x", "https://a.com?x", "https://a.com#", "https://a.com//",
                       "https://a.com\\"],
    "port from 1": ["https://a.com:0", "https://a.com:65536", "https://a.com:", "https://a.com:x",
                    "https://a.com:-1", "https://a.com:1:2", "https://a.com:８０", "http://[::1]:"],
    "browsers block": ["http://localhost:25", "http://localhost:6000", "https://a.com:10080",
                       "https://[::1]:6667"],
    "people can open": ["http://0.0.0.0", "http://0.0.0.0:8080", "http://[::]:8080", "http://0", "http://1",
                        "http://[::ffff:0.0.0.0]", "http://224.0.0.1", "http://[ff02::1]"],
    "one machine": ["http://255.255.255.255"],
    "can exist": ["https://a!b", "https://a&b", "https://a=b", "https://a+b", "https://a~b", "https://a`b",
                  "https://a'b", 'https://a"b', "https://(a)", "https://" + "a" * 64 + ".localhost",
                  f"https://a.{LONGEST}", "https://example.com&"],
    "browsers accept": ["https://", "https://256.1.1.1", "https://1.2.3.4.5", "https://a..b", "https://.a",
                        "https://[::1", "http://[fe80::1%25eth0]"],
}  # fmt: skip


@pytest.mark.parametrize("text", USABLE)
def test_usable(text: str) -> None:
    assert site_origin(site_origin(text)) == site_origin(text)


@pytest.mark.parametrize(("cause", "text"), [(cause, text) for cause in CAUSES for text in CAUSES[cause]])
def test_each_cause(cause: str, text: str) -> None:
    with pytest.raises(Unusable, match=cause) as refused:
        site_origin(text)
    assert str(refused.value).startswith("must ")


@pytest.mark.parametrize("name", ["BASE_URL", "ALLOWED_ORIGINS", "STRIPE_API_BASE", "TWILIO_API_BASE"])
def test_every_setting_of_this_kind(name: str) -> None:
    for value in ("https://*.a.com", "http://0.0.0.0:9", "https://${{HOST}}", "https://u@a.com"):
        with pytest.raises(ConfigError) as refused:
            read_config({name: value, "ALLOW_TEST_CHECKOUT": "true"})
        assert [fault.split(" must ")[0] for fault in refused.value.faults] == [name]


def test_a_blocked_port_is_the_fault_of_port_unless_base_url_is_set() -> None:
    with pytest.raises(ConfigError) as refused:
        read_config({"PORT": "6000"})
    assert [fault.split()[0] for fault in refused.value.faults] == ["PORT"]
    assert read_config({"PORT": "6000", "BASE_URL": "http://localhost:8080"}).port == 6000


def test_which_pages_get_a_camera() -> None:
    secure = ["https://a.com", "http://localhost:1", "http://a.localhost", "http://127.9.9.9", "http://[::1]"]
    assert all(map(is_secure_context, secure))
    assert not any(map(is_secure_context, ["http://a.com", "http://192.168.1.2:8080", "http://128.0.0.1"]))


def test_ports() -> None:
    origins = ("http://a", "https://a", "http://[::1]:81", "https://a:444")
    assert [port_of(one) for one in origins] == [80, 443, 81, 444]
