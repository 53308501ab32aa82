"""Accepted terms: the version and the text of each, once, and for its member alone."""

from __future__ import annotations

import pytest

from models.errors import Conflict
from models.profiles.terms import TermsAcceptances
from models.settings.terms import Terms
from models.wiring import Models
from tests.conftest import MakePerson
from tests.support.scenes import rows, stand_still


def newer(models: Models) -> TermsAcceptances:
    return TermsAcceptances(models.db, models.clock, Terms("2027-01", "Be kinder."))


async def test_a_sign_up_accepts_what_is_in_force(models: Models, person: MakePerson) -> None:
    now = stand_still(models)
    anna = await person("Anna")
    (one,) = await models.terms.of(anna.user_id)
    current = models.terms.current
    assert (one.version, one.text, one.accepted_at) == (current.version, current.text, now)
    assert one.text_hash == current.text_hash.hex()


async def test_each_version_is_recorded_once_and_only_mine(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    for _ in range(2):
        await newer(models).accept(anna.user_id, "2027-01")
    versions = [one.version for one in await models.terms.of(anna.user_id)]
    assert versions == [models.terms.current.version, "2027-01"]
    assert len(await models.terms.of(ben.user_id)) == 1
    assert len(await rows(models, "select 1 from terms_texts")) == 2


async def test_another_version_than_the_one_shown_is_not_accepted(models: Models, person: MakePerson) -> None:
    anna = await person("Anna")
    with pytest.raises(Conflict):
        await newer(models).accept(anna.user_id, models.terms.current.version)
    assert len(await models.terms.of(anna.user_id)) == 1


@pytest.mark.parametrize("has_paid", [True, False])
async def test_after_a_deletion_they_stay_with_a_payment(
    models: Models, person: MakePerson, has_paid: bool
) -> None:
    anna = await person("Anna", selfie=False)
    if has_paid:
        await rows(
            models,
            "insert into checkouts (attempt_id, user_id, kind, amount_cents, currency, state, created_at, "
            "settled_at) values (gen_random_uuid(), %s, 'live', 100, 'usd', 'paid', now(), now())",
            anna.user_id,
        )
    await models.deletions.delete(anna.user_id)
    assert len(await models.terms.of(anna.user_id)) == has_paid
