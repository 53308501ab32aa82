"""Figures about moderation: what is counted, in which period, and in which form."""

from __future__ import annotations

import csv
import io

import msgspec
import pytest

from models.errors import Invalid
from models.ids import new_id
from models.safety.transparency import FiguresRow, as_json
from models.wiring import Models
from tests.conftest import MakePerson
from tests.support.people.reports import report
from tests.support.scenes import rows

YEAR = ("2026-01-01", "2026-12-31")


async def found(models: Models, *period: str) -> dict[tuple[str, str], FiguresRow]:
    figures = await models.transparency.figures(*(period or YEAR))
    return {(row.subject, row.kind): row for row in figures.rows}


async def ban_row(models: Models, user_id: str, at: str, by: str | None, lifted: str | None = None) -> str:
    ban_id = new_id()
    await rows(
        models,
        "insert into bans (ban_id, user_id, rule, reason, created_at, decided_by, lifted_at, lifted_reason) "
        "values (%s, %s, 'spam', 'r', %s, %s, %s, %s)",
        ban_id, user_id, at, by, lifted, lifted and "Appeal granted.",
    )  # fmt: skip
    return ban_id


async def test_reports_bans_appeals_and_notices(models: Models, person: MakePerson) -> None:
    ann, bo, cy = await person("Ann"), await person("Bo"), await person("Cy")
    for one, other, reason in ((ann, bo, "spam"), (bo, ann, "spam"), (ann, cy, "minor")):
        await report(models, one, other, reason)
    await rows(models, "update reports set created_at = '2026-03-01 00:00Z'")
    sql = "update reports set verdict = %s, reviewed_at = %s where reported_id = %s returning report_id"
    ((first,),) = await rows(models, sql, "upheld", "2026-03-01 04:00Z", bo.user_id)
    await rows(models, sql, "dismissed", "2026-03-01 10:00Z", ann.user_id)
    moderator = new_id()
    automatic = await ban_row(models, bo.user_id, "2026-03-01 01:00Z", None, "2026-03-02 00:00Z")
    await rows(models, "insert into ban_reports values (%s, %s)", automatic, first)
    await ban_row(models, ann.user_id, "2026-03-05 00:00Z", moderator)
    await rows(
        models,
        "insert into appeals (ban_id, text, created_at, verdict, decided_by, decided_at) "
        "values (%s, 't', '2026-03-01 12:00Z', 'overturned', %s, '2026-03-02 00:00Z')",
        automatic, moderator,
    )  # fmt: skip
    await rows(
        models,
        "insert into notices (notice_id, token_hash, kind, place, email, created_at, outcome, decided_by, "
        "decided_at) values (gen_random_uuid(), 'x', 'intimate', 'p', 'e', '2026-12-31 23:59Z', 'action', "
        "%s, '2027-01-01 23:59Z')",
        moderator,
    )
    figures = await models.transparency.figures(*YEAR)
    assert figures.automatic_share == 0.5
    assert figures.rows == [
        FiguresRow("report", "minor", 1, 0, 0, 1, 0, 0, None, None),
        FiguresRow("report", "spam", 2, 1, 1, 0, 1, 0, 7.0, 10.0),
        FiguresRow("ban", "spam", 2, 2, 0, 0, 1, 1, None, None),
        FiguresRow("ban appeal", "ban", 1, 1, 0, 0, 0, 0, 12.0, 12.0),
        FiguresRow("notice", "intimate", 1, 1, 0, 0, 0, 0, 24.0, 24.0),
    ]
    told = msgspec.json.decode(as_json(figures))
    assert told["rows"][1]["medianHours"] == 7.0
    assert (told["first"], told["automaticShare"]) == ("2026-01-01", 0.5)
    (*_, last) = csv.DictReader(io.StringIO(figures.as_csv()))
    assert (last["subject"], last["kind"], last["received"]) == ("notice", "intimate", "1")
    for private in (ann.user_id, bo.user_id, moderator, "Ann"):
        assert private not in as_json(figures) + figures.as_csv()


async def test_a_period_includes_its_last_day_and_not_the_next(models: Models, person: MakePerson) -> None:
    ann, bo = await person("Ann"), await person("Bo")
    await report(models, ann, bo, "spam")
    await rows(models, "update reports set created_at = '2026-03-31 23:59:59.9Z'")
    assert await found(models, "2026-03-01", "2026-03-31")
    assert not await found(models, "2026-04-01", "2026-04-30")
    assert not await found(models, "2026-03-01", "2026-03-30")


async def test_appeals_of_removals_are_counted_apart(models: Models, person: MakePerson) -> None:
    ann = await person("Ann")
    await rows(
        models,
        "insert into removals (user_id, kind, reason, removed_at, appeal_text, appealed_at, verdict, "
        "decided_at) values (%s, 'selfie', 'r', '2026-05-01 00:00Z', 't', '2026-05-02 00:00Z', 'overturned', "
        "'2026-05-03 00:00Z')",
        ann.user_id,
    )
    counted = await found(models)
    assert counted["removal", "selfie"].reversed == 1
    assert counted["removal appeal", "selfie"].action == 1
    assert counted["removal appeal", "selfie"].median_hours == 24.0


@pytest.mark.parametrize(
    "period", [("", ""), ("2026-01-01", "x"), ("2026-02-01", "2026-01-01"), ("2024-01-01", "2026-01-01")]
)
async def test_an_odd_period_is_refused(models: Models, period: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        await models.transparency.figures(*period)
    assert list(refused.value.fields or {}) == ["period"]
