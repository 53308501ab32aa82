"""RELAY_ONLY: removes addresses from signalling, so that peers do not learn each other's addresses.

Pure: bytes in, bytes out. Relay candidates and the end of candidates are kept; host, srflx and prflx
candidates (RFC 8839, 5.1) are removed. Other addresses in a description or a relay candidate are replaced by
0.0.0.0: `c=`, `o=`, `a=rtcp:`, `raddr` (RFC 8828). The session id and version of `o=` are kept, because the
client identifies its peer by them. Everything else passes unchanged. Frames that cannot be parsed are
dropped: a renegotiation is better than a leaked address.
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
# (pattern, replacement). A line begins and ends at any CR or LF, because parsers differ.
LINES = (
    (re.compile(r"(?<![^\r\n])c=[^\r\n]*", re.IGNORECASE), "c=IN IP4 0.0.0.0"),
    (re.compile(r"(?<![^\r\n])(o=\S+ \S+ \S+)[^\r\n]*", re.IGNORECASE), r"\1 IN IP4 0.0.0.0"),
    (re.compile(r"(?<![^\r\n])(a=rtcp:\d+)[^\r\n]*", re.IGNORECASE), r"\1 IN IP4 0.0.0.0"),
    (re.compile(r"(?<![^\r\n])a=remote-candidates:[^\r\n]*[\r\n]*", re.IGNORECASE), ""),
)
CANDIDATE_LINE = re.compile(r"(?<![^\r\n])a=candidate:[^\r\n]*[\r\n]*", re.IGNORECASE)


# Marks a value that is removed.
DROPPED: Any = object()


def cut(kind: str, frame: bytes) -> bytes | None:
    """The frame without addresses; None if nothing is left."""
    if kind not in LOOKED_INTO:
        return frame
    try:
        message = msgspec.json.decode(frame)
    except (msgspec.DecodeError, RecursionError):
        return None
    left = _cut(message) if isinstance(message, dict) else None
    return None if left is None else msgspec.json.encode(left)


def _cut(message: dict[str, Any]) -> dict[str, Any] | None:
    """Filters all known fields, whatever the message type: a field may be in the wrong message."""
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
    """Filters an RTCIceCandidateInit, a candidate as text, or the end of candidates."""
    if not isinstance(given, dict):
        return _text(given)
    text = _text(given.get("candidate"))
    if text is DROPPED:
        return DROPPED
    # Other fields are dropped: some clients repeat the address in them.
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
    """The description with no addresses except those of relays."""
    sdp = CANDIDATE_LINE.sub(_kept_line, sdp)
    for what, by in LINES:
        sdp = what.sub(by, sdp)
    return sdp


def _kept_line(found: re.Match[str]) -> str:
    line = found[0].rstrip("\r\n")
    text = _text(line)
    return "" if text is DROPPED else text + found[0][len(line) :]
