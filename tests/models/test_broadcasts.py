"""Broadcasts on the bus: written once as a ready frame, read back for whom it is."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from models import broadcasts
from models.broadcasts import Broadcasts, CallFrame, SeatReplaced, SignedOut, UserFrame
from models.messages import CallAnswered, PeerLeft, Pong
from models.redis import keys


class Board:
    """A bus that keeps what is published."""

    def __init__(self) -> None:
        self.published: list[tuple[str, bytes]] = []

    def publish(self, channel: str, event: object, encode: Callable[[object], bytes]) -> None:
        self.published.append((channel, encode(event)))


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def told(board: Board) -> Broadcasts:
    return Broadcasts(board)  # type: ignore[arg-type]


PONG = b'{"type":"pong","serverNow":7}'
ANSWERED = b'{"type":"call:answered","inviteId":"i","outcome":"accepted"}'


def read_user(board: Board) -> UserFrame:
    channel, frame = board.published.pop()
    assert channel == keys.user_channel("anna")
    read = broadcasts.decode_user_event(frame)
    assert isinstance(read, UserFrame)
    return read


def test_a_frame_for_a_person_travels_as_it_will_be_written(board: Board, told: Broadcasts) -> None:
    told.to_user("anna", Pong(server_now=7))
    read = read_user(board)
    assert (bytes(read.frame), read.only, bytes(read.others)) == (PONG, None, b"null")


def test_one_socket_gets_this_and_the_others_that(board: Board, told: Broadcasts) -> None:
    told.to_user(
        "anna", Pong(server_now=7), only="s1", others=CallAnswered(invite_id="i", outcome="accepted")
    )
    read = read_user(board)
    assert (bytes(read.frame), read.only, bytes(read.others)) == (PONG, "s1", ANSWERED)
    told.to_user_except("anna", "s1", Pong(server_now=7))
    read = read_user(board)
    assert (bytes(read.frame), read.only, bytes(read.others)) == (b"null", "s1", PONG)


def test_a_frame_for_a_call_may_be_for_one_side_and_the_last(board: Board, told: Broadcasts) -> None:
    told.to_call("c", PeerLeft(), side="caller")
    told.to_call("c", PeerLeft(), close=1000)
    read = [broadcasts.decode_call_event(frame) for _, frame in board.published]
    assert all(isinstance(one, CallFrame) and bytes(one.frame) == b'{"type":"peer:left"}' for one in read)
    assert [(one.side, one.close) for one in read] == [("caller", None), (None, 1000)]  # type: ignore[union-attr]
    assert {channel for channel, _ in board.published} == {keys.call_channel("c")}


def test_other_news_is_read_as_what_it_is(board: Board, told: Broadcasts) -> None:
    told.publish_to_user("anna", SignedOut(session_id="s", reason="r"))
    told.publish_to_call("c", SeatReplaced(side="caller", seat="s"))
    assert broadcasts.decode_user_event(board.published[0][1]) == SignedOut(session_id="s", reason="r")
    assert broadcasts.decode_call_event(board.published[1][1]) == SeatReplaced(side="caller", seat="s")


def test_what_the_scripts_publish_is_read_too() -> None:
    page = b'{"type":"delivered","ids":["a","b"],"more":true,"first":false}'
    assert broadcasts.decode_user_event(page) == broadcasts.Delivered(ids=["a", "b"], more=True, first=False)
    relayed = broadcasts.decode_call_event(b'{"type":"tell","side":"callee","frame":{"type" : "rtc:offer"}}')
    assert relayed == CallFrame(frame=msgspec.Raw(b'{"type" : "rtc:offer"}'), side="callee")
