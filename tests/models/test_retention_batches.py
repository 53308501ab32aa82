"""Everything that is due is deleted in batches, to the last row; locked rows wait."""

from __future__ import annotations

from models import retention
from models.safety import address_bans
from models.wiring import Models
from tests.conftest import MakePerson
from tests.models.test_retention import left
from tests.support.scenes import rows

HASHES = "select sha256(n::text::bytea) from generate_series(1, 1300) n"


async def test_a_row_that_is_held_waits_for_the_next_round(models: Models) -> None:
    sql = "insert into stripe_events select 'evt_' || n, 't', 'applied', now() - interval '1 year' "
    await rows(models, sql + "from generate_series(1, 700) n")
    async with models.db.link() as link:
        await link.execute("begin")
        await link.execute("select from stripe_events where event_id = 'evt_7' for update")
        await models.retention.sweep()
        assert await rows(models, "select event_id from stripe_events") == [("evt_7",)]
        await link.execute("rollback")
    await models.retention.sweep()
    assert await left(models, "stripe_events") == 0
    assert retention.BATCH < 700


async def test_marks_of_addresses_and_refusals_go_to_the_last(models: Models, person: MakePerson) -> None:
    assert max(address_bans.BATCH, retention.BATCH) < 1300
    ann = await person("Ann", selfie=False)
    due = f"insert into age_refusals select h, now() - interval '1 hour' from ({HASHES}) as t (h)"
    await rows(models, due)
    seen = f"insert into seen_addresses select %s, h, now() - interval '1 year' from ({HASHES}) as t (h)"
    await rows(models, seen, ann.user_id)
    await models.address_bans.saw(ann.user_id, "192.0.2.1")
    await models.address_bans.forget()
    await models.retention.sweep()
    assert (await left(models, "seen_addresses"), await left(models, "age_refusals")) == (1, 0)


async def test_more_guests_than_a_batch_are_gone_in_one_round(models: Models, person: MakePerson) -> None:
    assert retention.MOST_GUESTS < 60
    await person("Ann")
    long_ago = "now() - interval '400 days'"
    await rows(
        models,
        "insert into users (user_id, name, gender, adult_at, created_at) "
        f"select gen_random_uuid(), 'Guest', 'female', {long_ago}, {long_ago} from generate_series(1, 60)",
    )
    await models.retention.sweep()
    assert await rows(models, "select name from users where deleted_at is null") == [("Ann",)]
