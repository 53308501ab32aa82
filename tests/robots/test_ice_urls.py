"""Addresses in STUN and TURN URLs, as the site offers them."""

from __future__ import annotations

import pytest

from models.settings.ice_urls import stun_url, turn_url
from robots.ice_urls import IceUrl, named, readable


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("stun:stun.example.org", IceUrl("stun.example.org", 3478, False, "udp")),
        ("stuns:stun.example.org", IceUrl("stun.example.org", 5349, True, "tcp")),
        ("turn:203.0.113.7:3479?transport=tcp", IceUrl("203.0.113.7", 3479, False, "tcp")),
        ("turns:turn.example.org", IceUrl("turn.example.org", 5349, True, "tcp")),
        ("turn:[2001:db8::7]:3478", IceUrl("2001:db8::7", 3478, False, "udp")),
    ],
)
def test_an_address_that_the_settings_accept_is_read(url: str, found: IceUrl) -> None:
    assert (stun_url if url.startswith("stun") else turn_url)(url) == url
    assert IceUrl.of(url) == found


@pytest.mark.parametrize("url", ["", "http://example.org", "turn:", "turn:a:b"])
def test_others_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not a STUN or TURN URL"):
        IceUrl.of(url)


def test_each_url_has_its_server() -> None:
    stun, turn = {"urls": "stun:a"}, {"urls": ["turn:b", "turns:c"], "username": "u"}
    assert named([stun, turn], "turn") == [("turn:b", turn), ("turns:c", turn)]
    assert named([stun, turn], "stun") == [("stun:a", stun)]


def test_what_aiortc_cannot_read_is_left_out() -> None:
    assert readable(["turn:[::1]:3478", "turn:a"]) == ["turn:a"]
    assert readable("turn:[::1]") == []
