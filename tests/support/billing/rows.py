"""The contents of the billing tables."""

from __future__ import annotations

import msgspec

from models.wiring import Models


class Standing(msgspec.Struct, frozen=True):
    """What of the only payment is refunded."""

    refunded_cents: int
    is_full: bool


async def rows(models: Models) -> dict[str, int]:
    """The number of rows of each kind."""
    async with models.db.link() as link:
        await link.execute(
            "select (select count(*) from access_grants), (select count(*) from invite_codes), "
            "(select count(*) from checkouts), (select count(*) from stripe_events)"
        )
        return dict(zip(("grants", "codes", "checkouts", "events"), link.cursor.fetchone(), strict=True))


async def effects(models: Models) -> list[str]:
    """The effect of each event, in order of arrival."""
    async with models.db.link() as link:
        await link.execute("select effect from stripe_events order by received_at")
        return [effect for (effect,) in link.cursor.fetchall()]


async def standing(models: Models) -> Standing:
    async with models.db.link() as link:
        await link.execute(
            "select refunded_cents(payment_intent), state = 'refunded' from checkouts "
            "where payment_intent is not null"
        )
        (row,) = link.cursor.fetchall()
    return Standing(*row)


async def alerts(models: Models) -> list[str]:
    """The kinds of the alerts to the staff, in order."""
    async with models.db.link() as link:
        await link.execute("select kind from alerts order by alert_id")
        return [kind for (kind,) in link.cursor.fetchall()]
