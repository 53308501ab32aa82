"""Random histories of payments: exactly the users with a valid payment have access."""

from __future__ import annotations

import asyncio

import pytest

from models.postgres.statements import RunningStatements
from tests.support.billing.payment_histories import History, crashes, execute_or_die, faults_of_codes

AT_ONCE = 6


async def play(models, stripe, person, monkeypatch, seeds: range) -> None:
    """Plays several histories concurrently; at the end, Stripe and the database agree."""
    monkeypatch.setattr(RunningStatements, "execute", execute_or_die)
    crashes.clear()
    for first in range(seeds.start, seeds.stop, AT_ONCE):
        histories = [History(models, stripe, seed) for seed in range(first, min(first + AT_ONCE, seeds.stop))]
        await asyncio.gather(*(history.play(person) for history in histories))
        for history in histories:
            await history.check()
        assert await faults_of_codes(models) == []
    assert len(crashes) > len(seeds) / 4, "the faults must bite"
    assert await models.reconciliation.differences(1) == []


async def test_some_histories(models, stripe, person, monkeypatch) -> None:
    await play(models, stripe, person, monkeypatch, range(150))


@pytest.mark.prove
async def test_a_thousand_histories(models, stripe, person, monkeypatch) -> None:
    await play(models, stripe, person, monkeypatch, range(1000, 2000))
