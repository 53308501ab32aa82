"""What the tables of the money hold."""

from __future__ import annotations

import msgspec

from models.wiring import Models


class Standing(msgspec.Struct, frozen=True):
    """The one refund there is."""

    refunded_cents: int
    is_full: bool


async def rows(models: Models) -> dict[str, int]:
    """How many of each there are."""
    async with models.db.link() as link:
        await link.execute(
            "select (select count(*) from access_grants), (select count(*) from invite_codes), "
            "(select count(*) from checkouts), (select count(*) from stripe_events)"
        )
        return dict(zip(("grants", "codes", "checkouts", "events"), link.cursor.fetchone(), strict=True))


async def effects(models: Models) -> list[str]:
    """What each event did, in the order of their coming."""
    async with models.db.link() as link:
        await link.execute("select effect from stripe_events order by received_at")
        return [effect for (effect,) in link.cursor.fetchall()]


async def standing(models: Models) -> Standing:
    async with models.db.link() as link:
        await link.execute("select refunded_cents, is_full from refunds")
        (row,) = link.cursor.fetchall()
    return Standing(*row)
