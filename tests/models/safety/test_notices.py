"""Notices: the order of the queue."""

from __future__ import annotations

import msgspec

from models.safety.notices import NewNotice
from models.wiring import Models

NEW = NewNotice(kind="other", where="here", why="so", email="a@example.com", has_good_faith=True)


async def test_the_most_urgent_come_first(models: Models) -> None:
    for number, kind in enumerate(("other", "illegal", "intimate", "minor", "minor")):
        await models.notices.file(msgspec.structs.replace(NEW, kind=kind), f"192.0.2.{number}")
    queue = await models.notices.queue()
    assert [notice.kind for notice in queue] == ["minor", "minor", "intimate", "illegal", "other"]
    assert queue[0].created_at < queue[1].created_at
    assert len({notice.reference for notice in queue}) == 5
