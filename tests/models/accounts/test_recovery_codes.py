"""Recovery codes: eight, each valid once and only for its owner."""

from __future__ import annotations

import asyncio
import re

import pytest

from models.accounts.recovery_codes import plain
from models.errors import Invalid
from models.wiring import Models
from tests.conftest import MakePerson, Person
from tests.support.people.account_holders import PASSWORD


async def codes_of(models: Models, person: Person) -> list[str]:
    member = await models.sessions.find(person.token)
    assert member is not None
    email = f"{person.name.lower()}@example.com"
    return (await models.accounts.upgrade(member, email, PASSWORD, "127.0.0.1")).recovery_codes


async def use(models: Models, user_id: str, code: str) -> bool:
    async with models.db.transaction() as on:
        return await models.recovery_codes.use(user_id, plain(code), on=on)


async def test_eight_codes_in_groups_of_four(models: Models, person: MakePerson) -> None:
    ann = await person("Ann")
    codes = await codes_of(models, ann)
    assert len(set(codes)) == 8
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", code) for code in codes)
    assert await models.recovery_codes.left(ann.user_id) == 8


async def test_a_code_works_once_and_only_for_its_owner(models: Models, person: MakePerson) -> None:
    ann, bo = await person("Ann"), await person("Bo")
    codes, others = await codes_of(models, ann), await codes_of(models, bo)
    assert not await use(models, ann.user_id, others[0])
    assert await use(models, ann.user_id, codes[0].lower().replace("-", " "))
    assert not await use(models, ann.user_id, codes[0])
    assert await models.recovery_codes.left(ann.user_id) == 7
    assert await models.recovery_codes.left(bo.user_id) == 8


async def test_concurrent_uses_of_a_code_succeed_once(models: Models, person: MakePerson) -> None:
    ann = await person("Ann")
    code = (await codes_of(models, ann))[3]
    assert sorted(await asyncio.gather(*[use(models, ann.user_id, code) for _ in range(4)])) == [
        False, False, False, True,
    ]  # fmt: skip


async def test_a_new_set_replaces_the_old(models: Models, person: MakePerson) -> None:
    ann = await person("Ann")
    old = await codes_of(models, ann)
    async with models.db.transaction() as on:
        new = await models.recovery_codes.renew(ann.user_id, on=on)
    assert not await use(models, ann.user_id, old[0])
    assert await use(models, ann.user_id, new[0])


@pytest.mark.parametrize("typed", ["", "AAAA", "AAAA-BBBB-CCCC-DDDU", "A" * 17, "é" * 16])
def test_text_without_a_code(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        plain(typed)
    assert set(refused.value.fields or {}) == {"code"}
