"""The robots' call as lines of the doctor: each fault with its setting."""

from __future__ import annotations

from typing import Any

import pytest

from models.checks.call import judge
from models.settings.config import Config

TURN = "turn:turn.example.org:3478"
PUBLIC = {"base_url": "https://meet.example.org"}
GOOD = {"seconds": 1.2}
SILENT = {"fault": "no picture in 15 s", "arrived": ["sound"]}


def lines(result: dict[str, Any], **settings: Any) -> list[tuple[str, str]]:
    config = Config(**{"turn_urls": (TURN,), "stun_urls": ()} | PUBLIC | settings)
    return [(line.check, line.state) for line in judge(config, result)]


def text(result: dict[str, Any], **settings: Any) -> str:
    config = Config(**{"turn_urls": (TURN,), "stun_urls": ()} | PUBLIC | settings)
    (wrong,) = [line.text for line in judge(config, result) if line.state == "wrong"]
    return wrong


def test_a_call_that_works() -> None:
    result = {"allocations": {TURN: None}, "direct": GOOD, "relayed": {TURN: GOOD}}
    assert lines(result) == [("turn", "fine"), ("direct", "fine"), ("relayed", "fine")]


def test_a_call_that_does_not_begin() -> None:
    assert text({"call": "the invite was declined"}).startswith("BASE_URL: no call begins: the invite")


def test_a_call_that_breaks_off_is_reported_after_what_worked() -> None:
    result = {"allocations": {TURN: None}, "direct": GOOD, "call": "the socket was closed"}
    assert lines(result) == [("turn", "fine"), ("direct", "fine"), ("call", "wrong")]


@pytest.mark.parametrize(
    ("fault", "settings", "setting"),
    [
        ("not reachable", {}, "TURN_URLS"),
        ("the password is wrong (TURN_SECRET)", {}, "TURN_SECRET"),
        ("not reachable", {"turn_urls": ()}, "TURN"),
        ("not reachable", {"turn_urls": ("turn:elsewhere.example.org",)}, "TWILIO_ACCOUNT_SID"),
    ],
)
def test_a_relay_that_is_refused_names_its_setting(
    fault: str, settings: dict[str, Any], setting: str
) -> None:
    assert text({"allocations": {TURN: fault}, "direct": GOOD}, **settings).startswith(f"{setting}: ")


def test_a_stun_server_that_is_silent_names_its_setting() -> None:
    stun = "stun:stun.example.org"
    result = {"stun": {stun: "no answer"}, "allocations": {TURN: None}, "direct": GOOD}
    assert text(result, stun_urls=(stun,)).startswith(f"STUN_URLS: {stun}: no answer")
    assert text(result).startswith("TURN: ")
    assert ("stun", "fine") in lines(result | {"stun": {stun: None}})


def test_without_turn_the_advice_depends_on_where_the_site_is() -> None:
    result = {"allocations": {}, "direct": GOOD}
    assert lines(result)[0] == ("turn", "wrong")
    assert lines(result, stun_urls=("stun:stun.example.org",))[0] == ("turn", "note")
    assert lines(result, base_url="http://localhost:8080")[0] == ("turn", "skipped")


def test_twilio_that_gives_no_servers_names_its_setting() -> None:
    twilio = {"twilio_account_sid": "AC12345678", "turn_urls": ()}
    assert text({"allocations": {}, "direct": GOOD}, **twilio).startswith(
        "TWILIO_ACCOUNT_SID: the site gets no"
    )
    with_own = {"allocations": {TURN: None}, "direct": GOOD}
    assert "Twilio" in text(with_own, **twilio | {"turn_urls": (TURN,)})
    given = {"allocations": {"turn:global.turn.twilio.com:3478": None}, "direct": GOOD}
    assert ("turn", "wrong") not in lines(given, **twilio)


def test_media_that_does_not_arrive() -> None:
    direct = text({"allocations": {TURN: None}, "direct": SILENT, "relayed": {TURN: GOOD}})
    assert "firewall" in direct
    assert "arrived: sound" in direct
    relayed = {"allocations": {TURN: None}, "direct": GOOD, "relayed": {TURN: SILENT}}
    assert text(relayed).startswith("TURN_URLS: the server grants relays")
    assert text(relayed, turn_urls=()).startswith("PUBLIC_IP: the server grants relays")


def test_relay_only_makes_no_direct_call() -> None:
    result = {"allocations": {TURN: None}, "relayed": {TURN: GOOD}}
    assert ("direct", "skipped") in lines(result, relay_only=True)
