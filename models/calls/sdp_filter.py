"""RELAY_ONLY: what the relay cuts out of signalling, so that strangers never learn each other's addresses.

Pure: bytes in, bytes out. Keeps relay candidates and the end of candidates, drops host, srflx and prflx ones
(RFC 8839, 5.1), and puts 0.0.0.0 wherever else a description or a relay candidate names an address: `c=`,
`o=`, `a=rtcp:`, `raddr` (RFC 8828). Session id and version of `o=` stay: the client knows its peer by them.
Everything else passes on. What cannot be read is dropped: better a call that negotiates anew than an address
told.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

LOOKED_INTO = frozenset({"rtc:offer", "rtc:answer", "rtc:ice"})
CANDIDATE_FIELDS = ("candidate", "sdpMid", "sdpMLineIndex", "usernameFragment")
RELAY = re.compile(r"(?:a=)?candidate:\S+ \d+ \S+ \d+ \S+ \d+ typ relay(?: .*)?", re.IGNORECASE)
RELATED = re.compile(r" (raddr|rport) (\S+)", re.IGNORECASE)
# (what, by what). A line begins and ends at any CR or LF, for parsers differ.
LINES = (
    (re.compile(r"(?<![^\r\n])c=[^\r\n]*", re.IGNORECASE), "c=IN IP4 0.0.0.0"),
    (re.compile(r"(?<![^\r\n])(o=\S+ \S+ \S+)[^\r\n]*", re.IGNORECASE), r"\1 IN IP4 0.0.0.0"),
    (re.compile(r"(?<![^\r\n])(a=rtcp:\d+)[^\r\n]*", re.IGNORECASE), r"\1 IN IP4 0.0.0.0"),
    (re.compile(r"(?<![^\r\n])a=remote-candidates:[^\r\n]*[\r\n]*", re.IGNORECASE), ""),
)
CANDIDATE_LINE = re.compile(r"(?<![^\r\n])a=candidate:[^\r\n]*[\r\n]*", re.IGNORECASE)


# Stands for what the peer must not see.
DROPPED: Any = object()


def cut(kind: str, frame: bytes) -> bytes | None:
    """The frame as the peer may see it; None when nothing of it is left."""
    if kind not in LOOKED_INTO:
        return frame
    try:
        message = msgspec.json.decode(frame)
    except (msgspec.DecodeError, RecursionError):
        return None
    left = _cut(message) if isinstance(message, dict) else None
    return None if left is None else msgspec.json.encode(left)


def _cut(message: dict[str, Any]) -> dict[str, Any] | None:
    """Whatever the type: a field that shows an address may stand where it does not belong."""
    left = dict(message)
    for name, cut_field in FIELDS.items():
        if name in left:
            left[name] = cut_field(left[name])
    left = {name: value for name, value in left.items() if value is not DROPPED}
    is_empty = FIELDS.keys() & message.keys() and not FIELDS.keys() & left.keys()
    return None if is_empty else left


def _description(given: Any) -> Any:
    return without_direct(given) if isinstance(given, str) else DROPPED


def _candidates(given: Any) -> Any:
    if not isinstance(given, list):
        return DROPPED
    left = [one for one in map(_candidate, given) if one is not DROPPED]
    return left if left or not given else DROPPED


def _candidate(given: Any) -> Any:
    """An RTCIceCandidateInit, its bare text, or the end of candidates."""
    if not isinstance(given, dict):
        return _text(given)
    text = _text(given.get("candidate"))
    if text is DROPPED:
        return DROPPED
    # No other field: some clients spell the address out again beside the text.
    return {name: given[name] for name in CANDIDATE_FIELDS if name in given} | {"candidate": text}


FIELDS: dict[str, Callable[[Any], Any]] = {
    "sdp": _description, "candidate": _candidate, "candidates": _candidates,
}  # fmt: skip


def _text(text: Any) -> Any:
    if text is None or text in ("", "end-of-candidates"):
        return text
    if not isinstance(text, str) or not RELAY.fullmatch(text):
        return DROPPED
    return RELATED.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    return f" {found[1]} {'0.0.0.0' if found[1].lower() == 'raddr' else '9'}"


def without_direct(sdp: str) -> str:
    """A description that names no address but those of relays."""
    sdp = CANDIDATE_LINE.sub(_kept_line, sdp)
    for what, by in LINES:
        sdp = what.sub(by, sdp)
    return sdp


def _kept_line(found: re.Match[str]) -> str:
    line = found[0].rstrip("\r\n")
    text = _text(line)
    return "" if text is DROPPED else text + found[0][len(line) :]
