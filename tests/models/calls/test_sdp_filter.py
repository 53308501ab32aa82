"""RELAY_ONLY, case by case: only addresses of relays pass, and nothing else is changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.calls.sdp_filter import cut, without_direct

RELAY = "candidate:3 1 udp 41885439 203.0.113.5 50001 typ relay raddr 198.51.100.77 rport 40007 generation 0"
MASKED = RELAY.replace("198.51.100.77", "0.0.0.0").replace("40007", "9")
DIRECT = [
    "candidate:1 1 udp 2122260223 192.168.7.7 54400 typ host generation 0 ufrag abcd network-id 1",
    "candidate:2 1 udp 2122260223 5f0c9e7e-1f0a-4d0e.local 54400 typ host",
    "candidate:4 1 udp 1686052607 198.51.100.77 54400 typ srflx raddr 192.168.7.7 rport 54400",
    "candidate:5 1 udp 1686052607 198.51.100.77 54400 typ prflx raddr 192.168.7.7 rport 54400",
    "candidate:6 1 tcp 1518280447 192.168.7.7 9 typ host tcptype active",
    "candidate:7 1 udp 1 2001:db8::77 5000 typ host",
    "candidate:8 1 udp 1 198.51.100.77 5000 typ host x typ relay",
    "candidate:9 1 udp 1 198.51.100.77 5000",
    "typ relay 198.51.100.77",
    f"{RELAY}\r\na=candidate:1 1 udp 1 198.51.100.77 5000 typ host",
]
ADDRESSES = ("192.168.7.7", "198.51.100.77", "2001:db8::77", ".local")
SDP = "\r\n".join([
    "v=0", "o=- 4611731400430051336 2 IN IP4 192.168.7.7", "s=-", "t=0 0", "a=group:BUNDLE 0",
    "m=audio 54400 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 198.51.100.77", "a=rtcp:9 IN IP4 198.51.100.77",
    f"a={DIRECT[0]}", f"a={DIRECT[2]}", f"a={RELAY}", "a=end-of-candidates", "a=ice-ufrag:abcd",
    "a=fingerprint:sha-256 11:22", "a=remote-candidates:1 198.51.100.77 5000",
    "a=rtpmap:111 opus/48000/2", "",
])  # fmt: skip


def passed(kind: str, **fields: Any) -> Any:
    """The frame that the peer receives; None if it is dropped."""
    left = cut(kind, json.dumps({"type": kind, **fields}).encode())
    return None if left is None else json.loads(left)


def init(text: str, **more: Any) -> dict[str, Any]:
    return {"candidate": text, "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": "abcd", **more}


@pytest.mark.parametrize("text", DIRECT)
def test_a_direct_candidate_does_not_pass(text: str) -> None:
    assert passed("rtc:ice", candidate=init(text), attempt=3) is None
    assert passed("rtc:ice", candidate=text) is None
    assert passed("rtc:ice", candidates=[init(text)]) is None


def test_a_relay_candidate_passes_without_its_related_address() -> None:
    assert passed("rtc:ice", candidate=init(RELAY), attempt=3) == {
        "type": "rtc:ice", "candidate": init(MASKED), "attempt": 3,
    }  # fmt: skip
    assert passed("rtc:ice", candidate=RELAY)["candidate"] == MASKED


def test_the_relay_candidates_of_a_batch_pass_in_order() -> None:
    batch = [init(DIRECT[0]), init(RELAY), init(DIRECT[2]), init(RELAY, sdpMid="1"), init("")]
    left = passed("rtc:ice", candidates=batch, attempt=7, more="stays")
    assert left["candidates"] == [init(MASKED), init(MASKED, sdpMid="1"), init("")]
    assert (left["attempt"], left["more"]) == (7, "stays")


@pytest.mark.parametrize("end", [None, "", init(""), init("end-of-candidates"), {"candidate": None}])
def test_the_end_of_candidates_passes(end: Any) -> None:
    assert passed("rtc:ice", candidate=end)["candidate"] == end
    assert passed("rtc:ice", candidates=[init(DIRECT[0]), end])["candidates"] == [end]


@pytest.mark.parametrize("odd", [7, True, ["x"], {"candidate": 7}, {"candidate": {"address": "192.168.7.7"}}])
def test_malformed_candidates_do_not_pass(odd: Any) -> None:
    assert passed("rtc:ice", candidate=odd) is None
    assert passed("rtc:ice", candidates=[odd]) is None
    assert passed("rtc:ice", candidates={"0": init(DIRECT[0])}) is None


def test_an_address_beside_the_text_does_not_pass() -> None:
    spelled = init(RELAY, address="203.0.113.5", relatedAddress="198.51.100.77", relatedPort=40007)
    assert passed("rtc:ice", candidate=spelled)["candidate"] == init(MASKED)


@pytest.mark.parametrize("kind", ["rtc:offer", "rtc:answer"])
@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r"])
def test_a_description_contains_only_addresses_of_relays(kind: str, ending: str) -> None:
    left = passed(kind, sdp=SDP.replace("\r\n", ending), attempt=2)["sdp"]
    assert not [address for address in ADDRESSES if address in left]
    assert f"{ending}a={MASKED}{ending}a=end-of-candidates{ending}" in left
    assert f"{ending}c=IN IP4 0.0.0.0{ending}a=rtcp:9 IN IP4 0.0.0.0{ending}" in left


def test_the_rest_of_a_description_is_unchanged() -> None:
    kept = [line for line in SDP.split("\r\n") if not any(address in line for address in ADDRESSES)]
    left = without_direct(SDP).split("\r\n")
    assert [line for line in left if line in kept] == kept
    # The client identifies its peer by these two numbers.
    assert "o=- 4611731400430051336 2 IN IP4 0.0.0.0" in left
    assert without_direct(without_direct(SDP)) == without_direct(SDP)


def test_a_description_in_an_unexpected_field_is_filtered() -> None:
    assert passed("rtc:offer", sdp={"type": "offer", "sdp": SDP}) is None
    assert passed("rtc:ice", candidate=init(DIRECT[0]), sdp=SDP)["sdp"] == without_direct(SDP)
    assert passed("rtc:offer", sdp=SDP, candidates=[init(DIRECT[0])]).keys() == {"type", "sdp"}
    assert not [one for one in ADDRESSES if one in without_direct(SDP.replace("a=candidate", "A=Candidate"))]


def test_the_last_of_two_equal_keys_is_filtered() -> None:
    frame = b'{"type":"rtc:ice","candidate":"","candidate":"%s"}' % DIRECT[0].encode()
    assert cut("rtc:ice", frame) is None
    frame = b'{"type":"rtc:ice","candidate":"%s","candidate":""}' % DIRECT[0].encode()
    assert cut("rtc:ice", frame) == b'{"type":"rtc:ice","candidate":""}'


def test_malformed_frames_do_not_pass() -> None:
    for frame in (b"", b"[]", b"{", b'"rtc:ice"', b'{"a":' * 5000):
        assert cut("rtc:ice", frame) is None


def test_other_messages_pass_unchanged() -> None:
    frame = (
        b'{ "type": "media:state",  "audio": true, "video": false, "candidate": "'
        + DIRECT[0].encode()
        + b'"}'
    )
    assert cut("media:state", frame) is frame
    assert passed("rtc:ice", attempt=1) == {"type": "rtc:ice", "attempt": 1}
