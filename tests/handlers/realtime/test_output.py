"""Joined writes: what is sent while one read is handled goes out in one write per connection, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from handlers.realtime.connection import Output


class Written(asyncio.Transport):
    """A transport that records its writes; nothing of them is ever sent."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self.writes))


@pytest.fixture
def there() -> Written:
    return Written()


@pytest.fixture
def slow() -> list[int]:
    return []


@pytest.fixture
def output(there: Written, slow: list[int]) -> Output:
    output = Output(100, lambda: slow.append(len(there.writes)))
    output.open(there)
    return output


@pytest.fixture
def held() -> Iterator[None]:
    Output.hold()
    yield
    Output.release()


def test_a_write_goes_out_at_once(output: Output, there: Written) -> None:
    output.write(b"one")
    output.write(b"two")
    assert there.writes == [b"one", b"two"]


def test_held_output_is_one_write_per_connection_in_order(output: Output, there: Written) -> None:
    other = Written()
    beside = Output(100, lambda: None)
    beside.open(other)
    Output.hold()
    for number in range(5):
        output.write(b"%d" % number)
        beside.write(b"x")
    assert (there.writes, other.writes) == ([], [])
    Output.release()
    assert (there.writes, other.writes) == ([b"01234"], [b"xxxxx"])
    output.write(b"5")
    assert there.writes == [b"01234", b"5"]


@pytest.mark.usefixtures("held")
def test_a_flush_does_not_wait_and_nothing_is_written_twice(output: Output, there: Written) -> None:
    output.write(b"one")
    output.flush()
    output.write(b"two")
    assert there.writes == [b"one"]
    Output.release()
    assert there.writes == [b"one", b"two"]


def test_a_client_that_does_not_read_is_reported_after_the_write(
    output: Output, there: Written, slow: list[int]
) -> None:
    output.write(b"x" * 100)
    assert not slow
    output.write(b"x")
    assert slow == [2]


def test_an_empty_write_is_none(output: Output, there: Written) -> None:
    output.write(b"")
    assert there.writes == []


def test_nothing_is_written_after_the_end(output: Output, there: Written) -> None:
    Output.hold()
    output.write(b"one")
    output.close()
    output.write(b"two")
    Output.release()
    assert there.writes == []
