"""Sessions: found only by their token, renewed once a day, ended permanently."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from models.broadcasts import SignedOut
from models.security.member import Member
from models.security.sessions import SignedIn
from models.wiring import Models
from tests.conftest import MakePerson

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


async def guest(models: Models, address: str = "203.0.113.1") -> SignedIn:
    return await models.sign_up.guest("Ann", "female", adult=True, invite_code=None, address=address)


async def found(models: Models, token: str) -> Member:
    member = await models.sessions.find(token)
    assert member is not None
    return member


async def test_a_token_finds_its_member_in_one_statement(models: Models) -> None:
    signed = await guest(models)
    before = models.db.statements_run
    member = await found(models, signed.token)
    assert models.db.statements_run == before + 1
    assert (member.user_id, member.name, member.access) == (signed.member.user_id, "Ann", "unpaid")
    assert not member.is_banned
    assert not member.is_account


async def test_each_token_finds_only_its_own_member(models: Models) -> None:
    mine, other = await guest(models), await guest(models)
    assert (await found(models, mine.token)).user_id == mine.member.user_id
    assert (await found(models, other.token)).user_id == other.member.user_id
    assert await models.sessions.find(str(uuid.uuid4())) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        str(uuid.UUID(int=0)),
        str(uuid.UUID(int=1, version=1)),
        "0B9C1F64-7A0E-4D53-9B1F-3F2F6F1C8A27",
        "'; select 1",
        "é" * 36,
    ],
)
async def test_a_malformed_token_runs_no_statement(models: Models, token: str) -> None:
    before = models.db.statements_run
    assert await models.sessions.find(token) is None
    assert models.db.statements_run == before


async def test_a_guest_is_kept_a_week(models: Models) -> None:
    models.clock.freeze(NOON)
    signed = await guest(models)
    models.clock.freeze(NOON + timedelta(days=7, seconds=-1))
    assert await models.sessions.find(signed.token) is not None
    models.clock.freeze(NOON + timedelta(days=14))
    assert await models.sessions.find(signed.token) is None


async def test_a_session_in_use_is_renewed_once_a_day(models: Models) -> None:
    models.clock.freeze(NOON)
    signed = await guest(models)
    assert signed.member.expires_at == NOON + timedelta(days=7)
    models.clock.advance(hours=23)
    assert not (await found(models, signed.token)).was_renewed
    models.clock.advance(hours=1)
    assert (await found(models, signed.token)).was_renewed
    again = await found(models, signed.token)
    assert not again.was_renewed
    assert again.expires_at == NOON + timedelta(days=8)


async def test_a_guest_with_access_is_kept_for_a_year(models: Models, person: MakePerson) -> None:
    member = await person(name="Ann", access="payment")
    now = models.clock.now()
    models.clock.freeze(now + timedelta(days=364))
    assert (await found(models, member.token)).access == "paid"
    models.clock.freeze(now + timedelta(days=2 * 366))
    assert await models.sessions.find(member.token) is None


async def test_an_ended_session_is_not_found_and_its_end_is_published(models: Models) -> None:
    signed = await guest(models)
    since = models.clock.now() - timedelta(seconds=5)
    await models.sessions.end(signed.member.session_id, "signed_out")
    assert await models.sessions.find(signed.token) is None
    ended = {(row.user_id, row.session_id, row.reason) for row in await models.sessions.ended_since(since)}
    assert (signed.member.user_id, signed.member.session_id, "signed_out") in ended


async def test_the_other_session_of_a_person_stays(models: Models) -> None:
    signed = await guest(models)
    second = await models.sessions.create(signed.member.user_id)
    await models.sessions.end(signed.member.session_id, "signed_out")
    assert (await found(models, second.token)).user_id == signed.member.user_id


async def test_ending_twice_publishes_once(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, object]] = []
    monkeypatch.setattr(
        models.broadcasts, "publish_to_user", lambda user_id, news: told.append((user_id, news))
    )
    signed = await guest(models)
    for _ in range(2):
        await models.sessions.end(signed.member.session_id, "signed_out")
    news = SignedOut(session_id=signed.member.session_id, reason="signed_out")
    assert told == [(signed.member.user_id, news)]


async def test_the_token_is_not_in_the_database(models: Models) -> None:
    signed = await guest(models)
    async with models.db.link() as link:
        await link.execute("select s::text from sessions s union all select u::text from users u")
        rows = link.cursor.fetchall()
    assert rows
    assert not any(signed.token in row[0] or signed.token.replace("-", "") in row[0] for row in rows)
