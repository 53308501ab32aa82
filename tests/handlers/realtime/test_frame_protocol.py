"""Frames without I/O: what is sent, how a failure is reported, and a reader that parses a piece at a time."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.realtime.frame_protocol import (
    CLOSE,
    PIECE,
    PING,
    TEXT,
    Frame,
    FrameProtocol,
    FrameReader,
    text_frame,
)
from tests.support.raw.socket import frame, text

KEY = b"\x01\x02\x03\x04"
FIRST_BYTES = [0x81, 0x81, 0x81, 0x82, 0x01, 0x00, 0x80, 0x88, 0x89, 0x8A, 0x83, 0xC1]


def length(size: int, form: int) -> bytes:
    """The length of a masked frame, written in one byte, in three or in nine."""
    if form == 1:
        return bytes([0x80 | size])
    return (b"\xfe" if form == 2 else b"\xff") + size.to_bytes(form)


def masked(payload: bytes) -> bytes:
    return bytes(byte ^ KEY[at % 4] for at, byte in enumerate(payload))


def raw(first: int, payload: bytes, form: int = 1, *, is_masked: bool = True) -> bytes:
    """Any frame, in a longer form of its length than needed, or without the mask that it must have."""
    head = bytes([first]) + length(len(payload), max(form, 1 if len(payload) < 126 else 2))
    if not is_masked:
        return bytes([first, head[1] & 0x7F]) + head[2:] + payload
    return head + KEY + masked(payload)


# A text that is sent as something that looks like the beginning of another frame, after its first byte.
DECEPTIVE = raw(0x81, masked(b"?" + raw(0x81, b"inside") + b"x" * 126))
START, WHOLE = raw(0x01, b"start of "), raw(0x81, b"whole")
ANY_FRAME = st.builds(
    raw,
    st.sampled_from(FIRST_BYTES),
    st.one_of(st.binary(max_size=4), st.sampled_from([b"\x03\xe8bye", b"x" * 125, b"y" * 126, b"z" * 1001])),
    st.sampled_from([1, 1, 1, 2, 8]),
    is_masked=st.sampled_from([True] * 9 + [False]),
)


@pytest.fixture
def protocol() -> FrameProtocol:
    return FrameProtocol(max_bytes=1000, too_big=4400)


@pytest.fixture
def reader(protocol: FrameProtocol) -> FrameReader:
    return FrameReader(protocol)


def all_of(reader: FrameReader) -> list[Frame]:
    """With whole text messages as frames again."""
    return [one if isinstance(one, Frame) else Frame(TEXT, one) for one in iter(reader.next, None)]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 100_000])
def test_a_text_frame_is_what_the_library_writes(size: int) -> None:
    payload = b"x" * size
    assert text_frame(payload) == Frame(TEXT, payload).serialize(mask=False)


@pytest.mark.parametrize("reason", ["too big", "€" * 80, None])
def test_a_reason_is_cut_between_characters(protocol: FrameProtocol, reason: str | None) -> None:
    protocol.send_close(4000, reason)
    (sent,) = protocol.data_to_send()
    assert len(sent) <= 127
    assert (reason or "").startswith(sent[4:].decode())
    assert len(sent[4:]) >= min(121, len((reason or "").encode()))


def test_a_message_that_is_too_long_fails_with_our_code(reader: FrameReader) -> None:
    reader.feed(text("x" * 1001))
    assert reader.next() is None
    close, end = reader.farewell
    assert (int.from_bytes(close[2:4]), close[4:], end) == (4400, b"too big", b"")


def test_the_reader_parses_no_more_than_a_piece_ahead(reader: FrameReader) -> None:
    """What follows is parsed only when the frames of the piece have been handled."""
    reader.feed(frame(PING, b"x" * 94) * 200)
    for number in range(200):
        assert reader.next() is not None
        assert len(reader.answers()) <= PIECE // 100 + 1, number
    assert reader.next() is None


@pytest.mark.parametrize("size", [1, 5, 100, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_frames_are_the_same_however_they_arrive(reader: FrameReader, size: int) -> None:
    sent = [f"{number}".ljust(number % 300) for number in range(60)]
    data = b"".join(map(text, sent))
    got = []
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])
        got += all_of(reader)
    assert [bytes(one.data).decode() for one in got] == sent
    assert not reader.farewell


@example([(START, 0, True), (WHOLE, 0, True)])
@example([(START, 0, True), (raw(0x00, b"one"), 0, True), (raw(0x80, b" text"), 0, True), (WHOLE, 0, True)])
@example([(START, 0, True), (raw(0x89, b"ping"), 0, True), (WHOLE, 0, True)])
@example([(DECEPTIVE, 9, True), (WHOLE, 0, True)])
@example([(raw(0x81, b"y" * 126, 8), 0, True), (WHOLE, 0, True)])
@example([(raw(0x81, b"unmasked", is_masked=False), 0, True), (WHOLE, 0, True)])
@example([(raw(0x81, b"z" * 1001), 0, True), (WHOLE, 0, True)])
@example([(raw(0x81, b"form", 2), 1, True), (raw(0x81, b"form", 8), 0, True), (WHOLE, 0, True)])
@given(st.lists(st.tuples(ANY_FRAME, st.sampled_from([0, 0, 1, 2, 5, 9]), st.booleans()), max_size=12))
def test_the_frames_are_those_that_the_library_reads(sent: list[tuple[bytes, int, bool]]) -> None:
    """Whatever precedes or follows a text message that is read here. Each frame arrives in one or two pieces,
    the last of them together with the next frame or not.
    """
    library, reader = FrameProtocol(1000, 4400), FrameReader(FrameProtocol(1000, 4400))
    expected = library.frames_of(b"".join(one for one, _, _ in sent))
    got: list[Frame] = []
    for whole, cut, is_read in sent:
        reader.feed(whole[:cut])
        got += all_of(reader)
        reader.feed(whole[cut:])
        got += all_of(reader) if is_read else ()
    got += all_of(reader)
    assert [(one.opcode, one.fin, bytes(one.data)) for one in got] == [
        (one.opcode, one.fin, bytes(one.data)) for one in expected
    ]
    assert b"".join([*reader.answers(), *reader.farewell]) == b"".join(library.data_to_send())
    assert not reader.farewell or reader.farewell[-1] == b""


def test_a_whole_text_message_does_not_reach_the_library(
    protocol: FrameProtocol, reader: FrameReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.feed(text("one")[:5])
    assert reader.next() is None
    reader.feed(text("one")[5:] + frame(PING, b"") + text("two"))
    assert len(all_of(reader)) == 3
    pieces: list[bytes] = []
    monkeypatch.setattr(protocol, "receive_data", pieces.append)
    reader.feed(text("three") + text("f" * 300))
    assert [bytes(one.data) for one in all_of(reader)] == [b"three", b"f" * 300]
    assert not pieces


def test_data_is_kept_in_order_while_frames_wait(reader: FrameReader) -> None:
    data = b"".join(text(f"{number}".ljust(200)) for number in range(100))
    reader.feed(data[:15_000])
    first = [reader.next() for _ in range(30)]
    reader.feed(data[15_000:])
    numbers = [int(one) for one in first if isinstance(one, bytes)] + [
        int(one.data) for one in all_of(reader)
    ]
    assert numbers == list(range(100))


def test_nothing_is_parsed_after_the_clients_close(reader: FrameReader) -> None:
    reader.feed(text("before") + frame(CLOSE, (1000).to_bytes(2)) + text("after") * 100)
    assert [one.opcode for one in all_of(reader)] == [TEXT, CLOSE]
    assert reader.farewell == [b"\x88\x02\x03\xe8", b""]
    reader.feed(text("later"))
    assert reader.next() is None


def test_frames_that_are_parsed_can_be_dropped(reader: FrameReader) -> None:
    reader.feed(frame(PING, b"one") * 3)
    assert reader.next() is not None
    reader.forget_frames()
    reader.feed(text("two"))
    assert [bytes(one.data) for one in all_of(reader)] == [b"two"]
