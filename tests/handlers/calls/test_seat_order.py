"""The order of frames for a seat: after its first state, and each chat line once."""

from __future__ import annotations

from handlers.calls.seat_order import MOST_REMEMBERED, SeatOrder


def test_frames_before_the_state_wait_for_it() -> None:
    written: list[bytes] = []
    order = SeatOrder(written.append)
    order.push(b"1")
    order.push(b"2", "line")
    assert (written, order.is_opening) == ([], True)
    order.opened()
    assert (written, order.is_opening) == ([b"1", b"2"], False)


def test_a_line_is_sent_once() -> None:
    written: list[bytes] = []
    order = SeatOrder(written.append)
    order.push(b"shown", "a")
    order.shown(["a"])
    order.opened()
    for once in ("a", "b", "b", None, None):
        order.push(str(once).encode(), once)
    assert written == [b"b", b"None", b"None"]


def test_only_the_newest_lines_are_remembered() -> None:
    written: list[bytes] = []
    order = SeatOrder(written.append)
    order.opened()
    for number in range(MOST_REMEMBERED + 1):
        order.push(b"", str(number))
    order.push(b"again", "0")
    order.push(b"again", str(MOST_REMEMBERED))
    assert len(written) == MOST_REMEMBERED + 2
