"""Retried while a server is away, and a few times after a fault of ours; never after a refusal."""

from __future__ import annotations

import pytest

from models.errors import Conflict, Unavailable
from models.retry import retry_until_available


class Work:
    """Fails in these ways, one after the other, then is done."""

    def __init__(self, *faults: Exception) -> None:
        self.faults, self.times = list(faults), 0

    async def __call__(self) -> None:
        self.times += 1
        if self.faults:
            raise self.faults.pop(0)


async def test_it_is_tried_until_it_is_done() -> None:
    work = Work(Unavailable(), Unavailable())
    await retry_until_available(work, 0.001)
    assert work.times == 3


async def test_what_is_done_or_refused_is_not_tried_again() -> None:
    done, refused = Work(), Work(Conflict())
    await retry_until_available(done, 0.001)
    with pytest.raises(Conflict):
        await retry_until_available(refused, 0.001)
    assert done.times == refused.times == 1


async def test_a_fault_of_ours_is_tried_a_few_times() -> None:
    passing, lasting = Work(KeyError(), Unavailable(), KeyError()), Work(*[KeyError()] * 10)
    await retry_until_available(passing, 0.001)
    with pytest.raises(KeyError):
        await retry_until_available(lasting, 0.001)
    assert (passing.times, lasting.times) == (4, 5)
