"""Notices: the order of the queue."""

from __future__ import annotations

import msgspec

from models.ids import new_id
from models.safety.notices import MOST_CONFIRMED, NewNotice
from models.wiring import Models
from tests.support.smtp_server import Mailbox

NEW = NewNotice(kind="other", where="here", why="so", email="a@example.com", has_good_faith=True)


async def test_the_most_urgent_come_first(models: Models) -> None:
    for number, kind in enumerate(("other", "illegal", "intimate", "minor", "minor")):
        await models.notices.file(msgspec.structs.replace(NEW, kind=kind), f"192.0.2.{number}")
    queue = await models.notices.queue()
    assert [notice.kind for notice in queue] == ["minor", "minor", "intimate", "illegal", "other"]
    assert queue[0].created_at < queue[1].created_at
    assert len({notice.reference for notice in queue}) == 5


async def test_a_flood_of_one_sender_buries_no_other_and_pages_reach_all(models: Models) -> None:
    for number in range(5):
        flood = msgspec.structs.replace(NEW, email="A@example.com" if number % 2 else "a@example.com")
        await models.notices.file(flood, f"192.0.2.{number}")
    await models.notices.file(msgspec.structs.replace(NEW, email="b@example.com"), "192.0.2.9")
    queue = await models.notices.queue()
    assert [notice.email for notice in queue][:2] == ["a@example.com", "b@example.com"]
    assert [one.created_at for one in queue[2:]] == sorted(one.created_at for one in queue[2:])
    assert await models.notices.queue(queue[1].notice_id, most=2) == queue[2:4]
    assert await models.notices.queue(queue[-1].notice_id) == []
    assert await models.notices.queue(new_id()) == queue


async def test_nobody_is_flooded_with_confirmations(models: Models, mailbox: Mailbox) -> None:
    """The e-mail address of a notice may be that of someone else."""
    for number in range(MOST_CONFIRMED + 3):
        email = "A@example.com" if number % 2 else "a@example.com"
        await models.notices.file(msgspec.structs.replace(NEW, email=email), f"192.0.2.{number}")
    models.mail.send("last@example.com", "The last one", "The last one")
    texts = [await mailbox.letter() for _ in range(MOST_CONFIRMED + 1)]
    assert [text.strip() for text in texts].index("The last one") == MOST_CONFIRMED
    assert len(await models.notices.queue()) == MOST_CONFIRMED + 3
