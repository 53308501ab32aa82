"""Invite codes: who gets one, who may redeem one, and that a use is taken once."""

from __future__ import annotations

import asyncio

import pytest

from models.errors import Conflict, Invalid, NotFound, TooMany
from models.ids import new_code
from tests.support.scenes import ban

ADDRESS = "192.0.2.7"


async def own_code(models, owner) -> str:
    async with models.db.transaction() as on:
        await models.invite_codes.ensure_own(owner.user_id, on=on)
    return (await models.invite_codes.find_own(owner.user_id)).code


async def stop(models, code: str) -> None:
    await models.admin_codes.stop(code)


async def admin_code(models, limit: int | None) -> str:
    return (await models.admin_codes.create("Poster", limit)).code


async def newcomers(person, many: int) -> list:
    return [await person(f"Guest {n}", access=None, selfie=False) for n in range(many)]


async def outcomes(models, code: str, guests: list) -> list[object]:
    """All guests redeem concurrently: the access or the type of the error for each."""
    tries = (models.invite_codes.redeem(code, guest.user_id) for guest in guests)
    return [
        got if isinstance(got, str) else type(got)
        for got in await asyncio.gather(*tries, return_exceptions=True)
    ]


async def test_a_code_lets_a_friend_in_and_counts_one_use(models, person) -> None:
    anna, ben = await person("Anna"), await person("Ben", access=None)
    code = await own_code(models, anna)
    assert await models.invite_codes.redeem(code, ben.user_id, ADDRESS) == "invited"
    assert await models.grants.of(ben.user_id) == "invited"
    assert (await models.invite_codes.find_own(anna.user_id)).uses_remaining == 3


async def test_a_code_may_be_typed_as_people_type(models, person) -> None:
    anna, ben = await person("Anna"), await person("Ben", access=None)
    code = await own_code(models, anna)
    typed = " " + "-".join(code[i : i + 4].lower() for i in range(0, 16, 4)).replace("1", "l") + " "
    assert await models.invite_codes.redeem(typed, ben.user_id) == "invited"


async def test_fifty_people_and_four_uses(models, person) -> None:
    code = await own_code(models, await person("Anna"))
    got = await outcomes(models, code, await newcomers(person, 50))
    assert got.count("invited") == 4
    assert got.count(Conflict) == 46
    async with models.db.link() as link:
        await link.execute(
            "select (select uses from invite_codes), (select count(*) from invite_code_uses), "
            "(select count(*) from access_grants where reason = 'code')"
        )
        assert link.cursor.fetchone() == (4, 4, 4)


async def test_the_last_use_goes_to_exactly_one(models, person) -> None:
    code = await admin_code(models, 1)
    got = await outcomes(models, code, await newcomers(person, 20))
    assert got.count("invited") == 1
    assert got.count(Conflict) == 19


@pytest.mark.parametrize("is_sign_up", [True, False])
async def test_one_code_is_tried_by_one_at_a_time_however_it_is_typed(
    models, person, monkeypatch, is_sign_up
) -> None:
    code = await admin_code(models, None)
    guests = await newcomers(person, 4)
    typed = [code, code.lower(), f"Code: {code}", models.invite_codes.invite_url(code)]
    at_once, most, transact = 0, 0, models.db.transact

    async def counted(work):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            return await transact(work)
        finally:
            at_once -= 1

    monkeypatch.setattr(models.db, "transact", counted)
    if is_sign_up:
        form = {"adult": True, "birth_date": "1990-01-01", "address": ADDRESS}
        await asyncio.gather(*(models.sign_up.guest("A", "female", invite_code=one, **form) for one in typed))
    else:
        pairs = zip(typed, guests, strict=True)
        await asyncio.gather(*(models.invite_codes.redeem(one, guest.user_id) for one, guest in pairs))
    assert most == 1


async def test_concurrent_redemptions_by_one_user_take_one_use(models, person) -> None:
    anna, ben = await person("Anna"), await person("Ben", access=None)
    code = await own_code(models, anna)
    got = await outcomes(models, code, [ben] * 10)
    assert got.count("invited") == 1
    assert (await models.invite_codes.find_own(anna.user_id)).uses_remaining == 3


async def test_an_unlimited_code_has_no_last_use(models, person) -> None:
    code = await admin_code(models, None)
    got = await outcomes(models, code, await newcomers(person, 6))
    assert got == ["invited"] * 6
    assert (await models.invite_codes.preview(code)).inviter_name == "Napalm Sky"


@pytest.mark.parametrize("obstacle", ["own", "in", "stopped", "banned", "used up", "one before"])
async def test_an_obstacle_is_reported_and_takes_no_use(models, person, obstacle) -> None:
    anna, ben = await person("Anna", access=None), await person("Ben", access=None)
    code = await own_code(models, anna)
    who = anna if obstacle == "own" else ben
    if obstacle == "in":
        await models.grants.grant(ben.user_id, "comp", "gift")
    elif obstacle == "stopped":
        await stop(models, code)
    elif obstacle == "banned":
        await ban(models, anna)
    elif obstacle == "used up":
        for guest in await newcomers(person, 4):
            await models.invite_codes.redeem(code, guest.user_id)
    elif obstacle == "one before":
        before = await admin_code(models, 1)
        await models.invite_codes.redeem(before, ben.user_id)
        await models.grants.take_away("code", f"{ben.user_id}/{before}", "moderator")
    left = (await models.invite_codes.find_own(anna.user_id)).uses_remaining
    with pytest.raises(Conflict):
        await models.invite_codes.check(code, who.user_id)
    with pytest.raises(Conflict):
        await models.invite_codes.redeem(code, who.user_id, ADDRESS)
    assert (await models.invite_codes.find_own(anna.user_id)).uses_remaining == left


async def test_unknown_codes_are_guesses_and_limited(models, person) -> None:
    anna, ben = await person("Anna"), await person("Ben", access=None)
    good = await own_code(models, anna)
    for _ in range(5):
        with pytest.raises(NotFound):
            await models.invite_codes.redeem(new_code(), ben.user_id, ADDRESS)
    for typed in (
        new_code(),
        f"Code: {new_code()}",
        f"https://sky.example/onboarding?inviteCode={new_code()}",
    ):
        with pytest.raises(TooMany):
            await models.invite_codes.redeem(typed, ben.user_id, ADDRESS)
    with pytest.raises(NotFound):
        await models.invite_codes.redeem(new_code(), ben.user_id, "192.0.2.8")
    assert await models.invite_codes.redeem(good, ben.user_id, ADDRESS) == "invited"


async def test_many_guesses_from_an_address_do_not_block_a_valid_code(models, person) -> None:
    """Its obstacles too are reported to users who have the code."""
    anna, ben = await person("Anna"), await person("Ben", access=None)
    code = await own_code(models, anna)
    guesses = (models.invite_codes.redeem(new_code(), ben.user_id, ADDRESS) for _ in range(30))
    await asyncio.gather(*guesses, return_exceptions=True)
    async with models.invite_codes.guessing(ADDRESS):
        assert (await models.invite_codes.check(code)).inviter_name == "Anna"
    with pytest.raises(Conflict):
        await models.invite_codes.redeem(code, anna.user_id, ADDRESS)
    await stop(models, code)
    with pytest.raises(Conflict, match="switched off"):
        await models.invite_codes.redeem(code, ben.user_id, ADDRESS)


async def test_text_without_a_code_is_not_a_guess_and_gets_an_explanation(models, person) -> None:
    ben = await person("Ben", access=None)
    for typed in ["no code at all", new_code()[:-1], "https://sky.example/onboarding", new_code() + "9"] * 3:
        with pytest.raises(Invalid, match="16 letters and digits") as refused:
            await models.invite_codes.redeem(typed, ben.user_id, ADDRESS)
        assert set(refused.value.fields or {}) == {"inviteCode"}
    with pytest.raises(NotFound):
        await models.invite_codes.redeem(new_code(), ben.user_id, ADDRESS)


async def test_refusals_and_empty_fields_are_not_guesses(models, person) -> None:
    anna, ben = await person("Anna"), await person("Ben", access=None)
    code = await own_code(models, anna)
    for _ in range(6):
        with pytest.raises(Conflict):
            await models.invite_codes.redeem(code, anna.user_id, ADDRESS)
        with pytest.raises(Invalid):
            await models.invite_codes.redeem("  ", ben.user_id, ADDRESS)
    assert await models.invite_codes.redeem(code, ben.user_id, ADDRESS) == "invited"


async def test_parallel_guesses_do_not_exceed_the_limit(models, person) -> None:
    ben = await person("Ben", access=None)
    tries = (models.invite_codes.redeem(new_code(), ben.user_id, ADDRESS) for _ in range(20))
    got = [type(problem) for problem in await asyncio.gather(*tries, return_exceptions=True)]
    assert got.count(NotFound) == 5
    assert got.count(TooMany) == 15


async def test_the_inviter_is_shown_while_the_code_is_valid(models, person) -> None:
    code = await own_code(models, await person("Anna"))
    assert (await models.invite_codes.preview(code.lower())).inviter_name == "Anna"
    assert await models.invite_codes.preview(new_code()) is None
    assert await models.invite_codes.preview(None) is None
    await stop(models, code)
    assert await models.invite_codes.preview(code) is None


async def test_a_user_has_one_code(models, person) -> None:
    anna = await person("Anna")
    codes = await asyncio.gather(*(own_code(models, anna) for _ in range(10)))
    assert len(set(codes)) == 1


async def test_a_payment_restarts_a_stopped_code(models, person) -> None:
    anna = await person("Anna")
    code = await own_code(models, anna)
    async with models.db.transaction() as on:
        await models.invite_codes.stop_own(anna.user_id, on=on)
    assert await own_code(models, anna) == code
    assert not (await models.invite_codes.find_own(anna.user_id)).stopped


async def test_only_the_owner_gets_the_qr_code(models, person) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    code = await own_code(models, anna)
    await models.invite_codes.check_owner(code, anna.user_id)
    for who, what in ((ben, code), (anna, new_code())):
        with pytest.raises(NotFound):
            await models.invite_codes.check_owner(what, who.user_id)


async def test_qr_codes_are_drawn(models) -> None:
    code = new_code()
    svg, png = await models.invite_codes.qr_svg(code), await models.invite_codes.qr_png(code)
    assert svg.startswith(b"<?xml")
    assert b'fill="white"' in svg
    assert png.startswith(b"\x89PNG")
