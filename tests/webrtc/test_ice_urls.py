"""STUN and TURN addresses: none that we take is refused by a real browser.

Some that Chromium takes are refused here: no resolver could find their hosts.
"""

from __future__ import annotations

import pytest

from models.settings.config import ConfigError
from models.settings.environment import read_config
from models.settings.ice_urls import stun_url, turn_url
from tests.journeys.stage import House

TAKEN = [
    "stun:example.com", "stun:example.com:3478", "stun:1.2.3.4", "stun:[::1]", "stun:[::1]:3478",
    "stuns:example.com:5349",
    "STUN:example.com", "turn:turn.example.com:3478?transport=tcp",
    "turns:turn.example.com:443?transport=tcp",
    "Turn:example.com", "turn:EXAMPLE.com", "turns:example.com?transport=udp",
    "turn:example.com?transport=UDP",
    "turn:example.com:1", "turn:example.com:65535", "turn:example.com:003478", "turn:[::1]",
    "turn:[2001:db8::1]:443?transport=tcp", "turn:[::ffff:1.2.3.4]:3478", "turn:xn--bcher-kva.example",
    "turn:example.com.",
    "turn:a_b.example",
]  # fmt: skip
REFUSED = [
    "stun:127.0.0.1:3478?transport=udp", "stun://127.0.0.1:3478", "turn:127.0.0.1:99999",
    "turn:a?transport=sctp",
    "turn:a?transport=", "turn:a?", "turn:a?foo=bar", "turn:a?transport=udp&x=y",
    "turn:a?Transport=udp", "turn:a:0",
    "stun:a:0", "turn:a:65536", "turn:a:", "stun:a:", "turn:a:port", "turn:a:-1", "turn:a:+1",
    "turn:a: 3478", "turn: a",
    "turn:a b", "turn:::1", "turn:2001:db8::1", "turn:2001:db8::1:3478", "turn:[::1", "turn:::1]",
    "turn:[]",
    "turn:[]:3478", "turn:[::1]:", "turn:", "stun:", "turns:", "turn:?transport=udp", "turn::3478",
    "turn:user@a",
    "turn:user:pw@a", "stun:user@a", "turn:a/path", "turn:a:3478/", "stun:a#f", "turn:a#f",
    "turn:a:3478#f", "http://a",
    "a", "turn.example.com:3478", "turn", "", "turn:a,turn:b", "turn:a\\b", "turn:a|b", "turn:a<b",
    "turn:a{b", "turn:/a",
    "turn://a?transport=udp", "turns://a", "stuns://a", "turn:a:3478:3479", "stun:a?",
    "stun:a?transport=tcp",
    "stuns:a?transport=tcp", "stun:a?x", "turn:a?transport=tls", "turn:a?transport=ws", "turn:a:３４７８",
    "turn:a:4294970774",
]  # fmt: skip
# Chromium takes them, and no call finds the server.
OF_NO_USE = [
    "turn:[zz::1]", "turn:[example.com]", "turn:[::1]x", "turn:[::1]3478", "turn:[fe80::1%eth0]",
    "turn:bücher.example",
    "turn:a%20b", "turn:a;b", "turn:a!b", "turn:a\tb", "turn:-a-", "turn:a\u200bb",
    "turn:a?transport=udp?transport=tcp",
]  # fmt: skip
ASK = """urls => urls.map(url => {
    try { new RTCPeerConnection({iceServers: [{urls: url, username: "u",
    credential: "c"}]}).close(); return true }
    catch { return false }
})"""


def judge(url: str) -> str | None:
    """The address as it is given to browsers, or None."""
    for read in (stun_url, turn_url):
        try:
            return read(url)
        except ValueError:
            continue
    return None


@pytest.mark.journey
def test_we_take_nothing_that_chromium_refuses(house: House) -> None:
    async def ask(urls: list[str]) -> list[bool]:
        page = await house.browsers[0].new_page()
        try:
            return list(await page.evaluate(ASK, urls))
        finally:
            await page.close()

    urls = TAKEN + REFUSED + OF_NO_USE
    by_chromium = dict(zip(urls, house.loop.run(ask(urls)), strict=True))
    assert {url: by_chromium[url] for url in TAKEN} == dict.fromkeys(TAKEN, True)
    assert {url: by_chromium[url] for url in REFUSED} == dict.fromkeys(REFUSED, False)
    judged = [judged for url in urls if (judged := judge(url)) is not None]
    assert all(house.loop.run(ask(judged)))


def test_our_judgement() -> None:
    assert [url for url in TAKEN if judge(url) is None] == []
    assert [url for url in REFUSED + OF_NO_USE if judge(url) is not None] == []


@pytest.mark.parametrize("url", [url for url in REFUSED if url and "," not in url])
def test_a_setting_that_a_browser_refuses_is_named(url: str) -> None:
    name = "STUN_URLS" if url.startswith("stun") else "TURN_URLS"
    with pytest.raises(ConfigError) as refused:
        read_config({name: url, "TURN_SECRET": "0123456789abcdef"})
    assert any(fault.startswith(f"{name} must be ") for fault in refused.value.faults)
    # The fault has an example of its own.
    is_in_example = url in "turn:turn.example.com:3478 stun:stun.example.com:3478 turn: turns: stun: stuns:"
    assert is_in_example or url not in str(refused.value)
