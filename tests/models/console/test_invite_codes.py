"""The operator's codes: created, disabled permanently, and the tree of invitations."""

from __future__ import annotations

import asyncio

import pytest

from models.errors import Conflict, Invalid, NotFound
from models.ids import new_code


async def guests(person, many: int) -> list:
    return [await person(f"Guest {n}", access=None, selfie=False) for n in range(many)]


async def test_a_code_with_a_label_and_a_limit(models, person) -> None:
    code = await models.admin_codes.create(" Poster at the café ", 2)
    assert (code.label, code.uses_limit, code.uses, code.owner_id) == ("Poster at the café", 2, 0, None)
    tries = [models.invite_codes.redeem(code.code, guest.user_id) for guest in await guests(person, 5)]
    got = await asyncio.gather(*tries, return_exceptions=True)
    assert got.count("invited") == 2
    assert (await models.admin_codes.get(f"Code: {code.code.lower()}")).uses == 2


@pytest.mark.parametrize(
    "label", ["Café رضا\u200cزاده", "👨\u200d👩\u200d👧 Festival", "رمضان \u2067Sky\u2069 1"]
)
async def test_a_label_is_stored_as_typed(models, label) -> None:
    assert ascii((await models.admin_codes.create(f" {label}\u200f", 1)).label) == ascii(label)


async def test_a_code_without_a_limit(models, person) -> None:
    code = await models.admin_codes.create("Festival", None)
    for guest in await guests(person, 5):
        assert await models.invite_codes.redeem(code.code, guest.user_id) == "invited"
    assert (await models.admin_codes.get(code.code)).uses_limit is None


@pytest.mark.parametrize(
    ("label", "uses", "fields"),
    [
        ("", 1, {"label"}),
        ("x" * 61, 1, {"label"}),
        ("a\nb", 1, {"label"}),
        ("a\u202eb", 1, {"label"}),
        ("\u200b", 1, {"label"}),
        ("a", 0, {"uses"}),
        ("", 1_000_001, {"label", "uses"}),
    ],
)
async def test_invalid_fields_are_rejected(models, label, uses, fields) -> None:
    with pytest.raises(Invalid) as problem:
        await models.admin_codes.create(label, uses)
    assert set(problem.value.fields) == fields
    assert await models.admin_codes.all() == []


async def test_a_disabled_code_grants_nothing_and_earlier_guests_stay(models, person) -> None:
    code = await models.admin_codes.create("Poster", None)
    ben, carla = await guests(person, 2)
    await models.invite_codes.redeem(code.code, ben.user_id)
    assert (await models.admin_codes.stop(code.code)).stopped_at is not None
    with pytest.raises(Conflict):
        await models.invite_codes.redeem(code.code, carla.user_id)
    assert await models.grants.of(ben.user_id) == "invited"
    for unknown in (new_code(), "nonsense"):
        with pytest.raises(NotFound):
            await models.admin_codes.stop(unknown)


async def test_a_payment_does_not_enable_a_disabled_code(models, person) -> None:
    anna = await person("Anna")
    async with models.db.transaction() as on:
        await models.invite_codes.ensure_own(anna.user_id, on=on)
    own = await models.invite_codes.find_own(anna.user_id)
    await models.admin_codes.stop(own.code)
    async with models.db.transaction() as on:
        await models.invite_codes.ensure_own(anna.user_id, on=on)
    assert (await models.invite_codes.find_own(anna.user_id)).stopped


async def test_the_tree_shows_who_was_invited_by_whom(models, person) -> None:
    root = await models.admin_codes.create("Poster", None)
    ben, carla, dan = await guests(person, 3)
    await models.invite_codes.redeem(root.code, ben.user_id)
    async with models.db.transaction() as on:
        await models.invite_codes.ensure_own(ben.user_id, on=on)
    own = (await models.invite_codes.find_own(ben.user_id)).code
    for guest in (carla, dan):
        await models.invite_codes.redeem(own, guest.user_id)
    tree = [(branch.depth, branch.user_id) for branch in await models.admin_codes.tree()]
    assert tree == [(0, None), (1, ben.user_id), (2, carla.user_id), (2, dan.user_id)]
