"""Exports: all data of the user, none of others, no secrets; every table is covered."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any
from zipfile import ZipFile

import msgspec
import pytest

from models.accounts.exports import Exports
from models.errors import NotFound, TooMany, Unavailable
from models.ids import new_id
from models.security.audit_log import OPERATOR
from models.wiring import Models
from tests.conftest import MakePerson
from tests.models.accounts.test_deletions import full_life
from tests.support.markdown import section, table
from tests.support.people.reports import report
from tests.support.scenes import rows, until
from tests.test_house import ROOT

# Tables with a user id that are left out, with the reason.
LEFT_OUT = {
    "live_seats": "the call that is going on, which `calls` names",
    "media_chunks": "the bytes: files of their own",
    "recovery_codes": "hashes; how many are left is in `account`",
    "recovery_links": "a hash; until when is in `account`",
    "guesses": "counts of the last day, by hash or id",
    "hourly_figures": "counts of the whole site",
    "staff": "the operator's people, not members",
    "staff_sessions": "the operator's people, not members",
    "audit_log": "what the staff did; bans and verdicts are in `bans` and `reports`",
    "ban_reports": "would say who reported",
    "report_media": "what reports about them hold; the media that they still have are in `media`",
    "notices": "written without a session",
    "seen_devices": "keyed hashes of a cookie that the browser has itself",
    "person_marks": "only after a deletion: keyed hashes",
    "removed_pictures": "hashes without a user",
    "picture_flags": "what the staff look at; what follows is in `removals`",
    "alerts": "links for the staff",
    "decision_emails": "e-mails that wait; what they say is in `reports`, `bans` and `removals`",
    "tombstones": "only after a deletion",
    "banned_emails": "only after a deletion: a keyed hash",
    "age_checks": "random values of an hour, before there is an answer",
    "age_refusals": "a keyed hash without a user",
    "refunds": "their sum is in `payments`",
    "receipt_numbers": "the site's own",
    "refund_attempts": "their sum is in `payments`",
    "fraud_warnings": "of the card's issuer, for the staff",
    "stripe_events": "ids of Stripe's; what they did is in `payments`",
    "secrets": "the site's own",
    "processes": "the site's own",
}


async def test_an_export_needs_no_temporary_directory_of_the_system(
    models: Models, person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await person("Anna")
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    data, _ = await unpacked(models, anna.user_id)
    assert data


async def unpacked(models: Models, user_id: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """`data.json`, and all files."""
    async with models.exports.open(user_id) as file:
        with ZipFile(file) as archive:
            assert archive.testzip() is None
            files = {name: archive.read(name) for name in archive.namelist()}
    return msgspec.json.decode(files["data.json"]), files


async def test_every_table_is_exported_or_left_out_for_a_reason(models: Models) -> None:
    found = await rows(
        models,
        "select tablename from pg_tables where schemaname = 'public' and tablename not like '%%yoyo%%'",
    )
    sql = re.sub(r"--.*", "", (ROOT / "sql" / "accounts" / "exports.sql").read_text())
    read = set(re.findall(r"\b(?:from|join) (\w+)", sql))
    assert {name for (name,) in found} - read == LEFT_OUT.keys() - read
    assert LEFT_OUT.keys() <= {name for (name,) in found}


async def test_it_has_all_my_data_and_only_names_of_others(models: Models, person: MakePerson) -> None:
    ann, bo = await full_life(models, person)
    data, files = await unpacked(models, ann.user_id)
    assert data["profile"]["name"] == "Ann"
    assert data["account"][0]["email"] == "ann@example.com"
    assert [call["partnerName"] for call in data["calls"]] == ["Bo", "Bo"]
    assert [line["text"] for line in data["messages"]] == ["a line of Ann"]
    counts = {"contacts": 1, "blocks": 1, "addresses": 1, "rings": 3, "access": 1, "introductions": 3}
    assert {key: len(data[key]) for key in counts} == counts
    text = files["data.json"].decode()
    assert bo.user_id not in text
    assert "a line of Bo" not in text
    assert [one["aboutName"] for one in data["reports"]] == ["Bo"], "who reported her is not hers to know"
    other, _ = await unpacked(models, bo.user_id)
    assert [one["aboutName"] for one in other["reports"]] == ["Ann"]


async def test_no_secret_is_in_it(models: Models, person: MakePerson) -> None:
    ann, _ = await full_life(models, person)
    _, files = await unpacked(models, ann.user_id)
    secrets = await rows(
        models, "select encode(token_hash, 'hex') from sessions union all select password_hash from accounts"
    )
    for (secret,) in [*secrets, (ann.token,)]:
        assert secret.encode() not in b"".join(files.values())


async def test_the_selfie_is_a_file_of_its_own(models: Models, person: MakePerson) -> None:
    ann = await person("Ann")
    data, files = await unpacked(models, ann.user_id)
    (media,) = data["media"]
    found = await models.media.find(media["mediaId"], ann.user_id)
    assert found
    assert files[media["file"]] == await models.media.read(found)
    assert media["file"].endswith(".jpeg")


async def test_the_content_matches_the_documentation(models: Models, person: MakePerson) -> None:
    ann, bo = await full_life(models, person)
    document = section((ROOT / "docs" / "protocol.md").read_text(), "## Export")
    told = {key.strip("`"): text for key, text in table(document, "key")}
    for one in (ann, bo):
        data, _ = await unpacked(models, one.user_id)
        assert data.keys() == told.keys()
        for key, value in data.items():
            entry = value[0] if isinstance(value, list) and value else value
            if isinstance(entry, dict):
                fields = re.search(r"\{(.*?)\}", told[key])
                assert fields
                assert set(entry) == set(fields[1].split(", ")), key


async def test_one_export_an_hour_and_failures_do_not_count(models: Models, person: MakePerson) -> None:
    ann, bo = await person("Ann", selfie=False), await person("Bo", selfie=False)
    with pytest.raises(RuntimeError):
        async with models.exports.open(ann.user_id):
            raise RuntimeError
    await unpacked(models, ann.user_id)
    with pytest.raises(TooMany) as again:
        await unpacked(models, ann.user_id)
    assert 3500 < (again.value.retry_after or 0) <= 3600
    assert "once an hour" in again.value.message
    await unpacked(models, bo.user_id)


async def test_two_exports_run_at_a_time(models: Models, person: MakePerson) -> None:
    """A lock on the tables they read blocks two exports until the third is refused."""
    people = [await person(name, selfie=False) for name in ("Ann", "Bo", "Cy")]
    async with models.db.link() as link:
        await link.execute("begin; lock table users in access exclusive mode")
        making = [asyncio.ensure_future(unpacked(models, one.user_id)) for one in people[:2]]
        await until(lambda: models.exports._making == 2)
        with pytest.raises(Unavailable):
            await unpacked(models, people[2].user_id)
        await link.execute("rollback")
    await asyncio.gather(*making)
    await unpacked(models, people[2].user_id)


async def test_slow_readers_do_not_block_other_exports(models: Models, person: MakePerson) -> None:
    people = [await person(name, selfie=False) for name in ("Ann", "Bo", "Cy")]
    async with models.exports.open(people[0].user_id), models.exports.open(people[1].user_id):
        await unpacked(models, people[2].user_id)


async def test_an_unknown_user_has_no_export(models: Models, person: MakePerson) -> None:
    ann = await person("Ann")
    await models.deletions.delete(ann.user_id)
    for user_id in (ann.user_id, new_id()):
        with pytest.raises(NotFound):
            await unpacked(models, user_id)


async def test_reports_about_me_do_not_name_their_author(models: Models, person: MakePerson) -> None:
    ann, bo = await person("Ann"), await person("Bo")
    await report(models, bo, ann)
    await rows(models, "update reports set text = 'I am Bo from the call at noon'")
    data, files = await unpacked(models, ann.user_id)
    (about,) = data["reportsAbout"]
    assert (about["reason"], about["verdict"], about["text"]) == ("harassment", None, None)
    assert re.fullmatch(r"\d{4}-\d\d", about["month"])
    text = files["data.json"].decode()
    for private in (bo.user_id, "from the call at noon"):
        assert private not in text
    assert (await unpacked(models, bo.user_id))[0]["reportsAbout"] == []
    config = replace(models.config, export_report_texts=True)
    telling = Exports(models.db, models.clock, config, models.media, models.rate_limits, models.audit)
    (about,) = (await telling.data(ann.user_id))["reportsAbout"]
    assert about["text"] == "I am Bo from the call at noon"


async def test_the_operator_exports_by_id_address_or_payment(models: Models, person: MakePerson) -> None:
    ann, bo = await person("Ann", selfie=False), await person("Bo", selfie=False)
    member = await models.sessions.find(ann.token)
    assert member
    await models.accounts.upgrade(member, "Ann@example.com", "four quiet purple lanterns", "::1")
    await rows(
        models,
        "insert into checkouts (attempt_id, user_id, kind, amount_cents, currency, state, created_at, "
        "settled_at, session_id) values (gen_random_uuid(), %s, 'live', 1, 'usd', 'paid', now(), "
        "now(), 'cs_1')",
        ann.user_id,
    )
    for named in (ann.user_id, "ann@EXAMPLE.com", "cs_1"):
        async with models.exports.open_for(named, OPERATOR) as file:
            data = msgspec.json.decode(ZipFile(file).read("data.json"))
        assert data["profile"]["userId"] == ann.user_id
    entries = [(one.actor, one.action, one.target) for one in await models.audit.page()]
    assert entries == [("operator", "person.export", f"user {ann.user_id}")] * 3
    await models.deletions.delete(bo.user_id)
    for nobody in (bo.user_id, new_id(), "Ann", "", "cs_2"):
        with pytest.raises(NotFound):
            async with models.exports.open_for(nobody, OPERATOR):
                raise AssertionError
