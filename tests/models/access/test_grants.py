"""Access: reasons are rows, granted once, removed one by one, published after the commit."""

from __future__ import annotations

import asyncio

import pytest

from models.broadcasts import AccessEvent
from models.redis import keys


async def events_of(models, user_id: str) -> list[str]:
    """The events published to this user from now on."""
    told: list[str] = []

    def hear(_channel: str, event: object) -> None:
        assert isinstance(event, AccessEvent)
        told.append(event.access)

    await models.bus.open(keys.user_channel(user_id), hear)
    return told


async def test_access_needs_a_reason(models, person) -> None:
    anna = await person("Anna", access=None)
    assert await models.grants.of(anna.user_id) == "unpaid"


@pytest.mark.parametrize(("reason", "access"), [("payment", "paid"), ("comp", "comped"), ("code", "invited")])
async def test_a_reason_gives_access_and_is_published(models, person, reason, access) -> None:
    anna = await person("Anna", access=None)
    told = await events_of(models, anna.user_id)
    change = await models.grants.grant(anna.user_id, reason, "somewhere")
    assert change.access == access
    assert await models.grants.of(anna.user_id) == access
    assert told == [access]


async def test_the_same_reason_from_the_same_source_counts_once(models, person) -> None:
    anna = await person("Anna", access=None)
    told = await events_of(models, anna.user_id)
    grants = await asyncio.gather(
        *(models.grants.grant(anna.user_id, "payment", "attempt") for _ in range(10))
    )
    assert len([change for change in grants if change is not None]) == 1
    assert told == ["paid"]


async def test_losing_one_reason_leaves_the_others(models, person) -> None:
    anna = await person("Anna", access=None)
    for reason in ("payment", "code"):
        await models.grants.grant(anna.user_id, reason, "one")
    change = await models.grants.take_away("payment", "one", "refunded")
    assert change.access == "invited"
    assert await models.grants.take_away("payment", "one", "refunded") is None
    assert await models.grants.of(anna.user_id) == "invited"


async def test_a_removed_reason_cannot_be_granted_again_by_its_source(models, person) -> None:
    anna = await person("Anna", access=None)
    await models.grants.grant(anna.user_id, "payment", "one")
    await models.grants.take_away("payment", "one", "refunded")
    assert await models.grants.grant(anna.user_id, "payment", "one") is None
    assert await models.grants.of(anna.user_id) == "unpaid"


async def test_an_unknown_source_removes_nothing(models, person) -> None:
    anna = await person("Anna")
    assert await models.grants.take_away("comp", "nobody", "because") is None
    assert await models.grants.of(anna.user_id) == "comped"


async def test_a_rolled_back_change_is_not_published(models, person) -> None:
    anna = await person("Anna", access=None)
    told = await events_of(models, anna.user_id)

    async def fail_half_way() -> None:
        async with models.db.transaction() as on:
            await models.grants.lock(anna.user_id, on=on)
            await models.grants.grant_locked(anna.user_id, "payment", "one", on=on)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_half_way()
    assert await models.grants.of(anna.user_id) == "unpaid"
    assert told == []
