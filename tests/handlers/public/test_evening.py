"""An evening of 50 people on two processes: /metrics says what the database has."""

from __future__ import annotations

import asyncio
from typing import Any

from models.console import site_figures
from models.safety.bans import NewBan
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.metric_samples import Growth, samples
from tests.support.people.reports import MODERATOR
from tests.support.scenes import Two, advance, freeze, rounds, rows, until

PAIRS = 25
# By the number of the pair: what becomes of its ring and of its call.
PLANS = ("decline", "cancel", "miss", "hang up", "expire")
SECONDS = 60
ENDED = "select count(*) from calls where state = 'ended'"


async def pairs(site: Running, far: Running, person: MakePerson) -> list[Two]:
    """The callers on one process, the callees on the other."""
    found = []
    for number in range(PAIRS):
        anna, ben = await person(f"Anna {number}"), await person(f"Ben {number}", gender="male")
        found.append(Two(anna, ben, await site.invites(anna), await far.invites(ben)))
    return found


async def play(site: Running, far: Running, pair: Two, plan: str) -> None:
    """Until the ring has its outcome; until the call is over, or its clock runs."""
    if plan in ("hang up", "expire"):
        call_id = await pair.call(SECONDS)
        seats = [await site.relay(pair.anna, call_id), await far.relay(pair.ben, call_id)]
        for seat in seats:
            await seat.receive("call:state")
            seat.send("rtc:connected", path="relay")
        for seat in seats:
            await seat.receive("call:clock", state="running")
        if plan == "hang up":
            seats[0].send("call:end")
            await seats[1].receive("call:end")
        return
    invite_id = await pair.ring()
    if plan == "decline":
        pair.b.send("call:decline", inviteId=invite_id)
        await pair.a.receive("call:declined")
    elif plan == "cancel":
        pair.a.send("call:cancel", inviteId=invite_id)
        await pair.b.receive("call:cancelled")


async def counted(site: Running, sql: str) -> dict[Any, int]:
    return dict(await rows(site.models, sql))  # type: ignore[arg-type]


async def test_the_metrics_of_an_evening_agree_with_the_database(
    site: Running, make_site: MakeSite, person: MakePerson, monkeypatch: Any
) -> None:
    monkeypatch.setattr(site_figures, "FRESH_SECONDS", 0.0)
    far = await make_site()
    before = await samples(site)
    freeze(site, far)
    people = await pairs(site, far, person)
    await asyncio.gather(
        *(play(site, far, pair, PLANS[number % len(PLANS)]) for number, pair in enumerate(people))
    )
    live = (await samples(site))["napalmsky_live_calls", ()]
    assert live == (await rows(site.models, "select count(*) from calls where state <> 'ended'"))[0][0] == 5
    advance(SECONDS + 1, site, far)
    for one in (site, far):
        await rounds(one)
    ended = PAIRS * 2 // len(PLANS)
    await until(lambda: has_ended(site, ended))
    for pair, reason in zip(people, ("spam", "other", "spam"), strict=False):
        form = {"userId": pair.ben.user_id, "reason": reason}
        assert (await site.client.post("/report", form, token=pair.anna.token)).status == 201
    decision = NewBan(user_id=people[0].ben.user_id, rule="spam", reason="Advertising.")
    await site.models.bans.decide(decision, MODERATOR)
    after = await samples(site)
    growth = Growth(before, after)

    assert growth.of("sign_ups_total", kind="plain") == 2 * PAIRS
    outcomes = await counted(site, "select outcome, count(*)::int from invite_outcomes group by outcome")
    assert outcomes == {"declined": 5, "cancelled": 5, "missed": 5, "accepted": 10}
    reasons = await counted(site, "select ended_reason, count(*)::int from calls group by ended_reason")
    assert reasons == {"hung_up": 5, "expired": 5}
    about = await counted(site, "select reason, count(*)::int from reports group by reason")
    assert about == {"spam": 2, "other": 1}
    for name, label, found in (
        ("rings_total", "outcome", outcomes),
        ("calls_total", "reason", reasons),
        ("reports_total", "reason", about),
    ):
        assert {kind: growth.of(name, **{label: kind}) for kind in found} == found
    assert growth.of("successful_calls_total") == reasons["expired"]
    assert growth.of("media_paths_total", path="relay") == 2 * sum(reasons.values())
    assert growth.of("call_setup_seconds_count") == sum(reasons.values())
    bans = (await rows(site.models, "select count(*) from bans"))[0][0]
    assert growth.of("bans_total") == bans == 1
    assert after["napalmsky_live_calls", ()] == 0


async def has_ended(site: Running, number: int) -> bool:
    return bool((await rows(site.models, ENDED))[0][0] == number)
