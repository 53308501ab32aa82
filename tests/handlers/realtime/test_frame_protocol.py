"""Frames without I/O: what is sent, how a failure is reported, and a reader that parses a piece at a time."""

from __future__ import annotations

import pytest

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


@pytest.fixture
def protocol() -> FrameProtocol:
    return FrameProtocol(max_bytes=1000, too_big=4400)


@pytest.fixture
def reader(protocol: FrameProtocol) -> FrameReader:
    return FrameReader(protocol)


def all_of(reader: FrameReader) -> list[Frame]:
    return list(iter(reader.next, None))


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


def test_data_is_kept_in_order_while_frames_wait(reader: FrameReader) -> None:
    data = b"".join(text(f"{number}".ljust(200)) for number in range(100))
    reader.feed(data[:15_000])
    first = [reader.next() for _ in range(30)]
    reader.feed(data[15_000:])
    numbers = [int(one.data) for one in [*first, *all_of(reader)] if one is not None]
    assert numbers == list(range(100))


def test_nothing_is_parsed_after_the_clients_close(reader: FrameReader) -> None:
    reader.feed(text("before") + frame(CLOSE, (1000).to_bytes(2)) + text("after") * 100)
    assert [one.opcode for one in all_of(reader)] == [TEXT, CLOSE]
    assert reader.farewell == [b"\x88\x02\x03\xe8", b""]
    reader.feed(text("later"))
    assert reader.next() is None


def test_frames_that_are_parsed_can_be_dropped(reader: FrameReader) -> None:
    reader.feed(text("one") * 3)
    assert reader.next() is not None
    reader.forget_frames()
    reader.feed(text("two"))
    assert [bytes(one.data) for one in all_of(reader)] == [b"two"]
