"""The operator's commands, run from the command line."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as xml
from zipfile import ZipFile

import msgspec
import pytest

from handlers.commands.cli import parse, run
from handlers.commands.secret import ALREADY, REPLACED, ROTATED
from server import main
from tests.conftest import ROOT
from tests.support.billing.payers import paid
from tests.support.clients import Socket


@pytest.fixture
def site(io_loop, make_site, stripe):
    return io_loop.run_sync(lambda: make_site(**stripe.settings))


async def said(site, capsys, line: str, code: int = 0) -> str:
    """The output of `python server.py <line>`."""
    capsys.readouterr()
    assert await run(parse(line.split()), site.models) == code
    told = capsys.readouterr()
    return told.out + told.err


async def test_payments_are_listed_with_their_ids(site, stripe, person, capsys) -> None:
    anna = await person("Anna", access=None)
    session_id = await paid(site.models, stripe, anna)
    (line,) = (await said(site, capsys, "payments --days 1")).splitlines()
    for part in ("paid", "$0.50", "Anna", session_id, stripe.sessions[session_id]["payment_intent"]):
        assert part in line


async def test_a_refund_shows_on_the_screens_of_a_running_site(
    site, make_site, stripe, person, capsys
) -> None:
    anna = await person("Anna", access=None)
    session_id = await paid(site.models, stripe, anna)
    socket = await Socket.connect(site.base_url, "/ws/invites", anna.token)
    await socket.receive("state", access="paid")
    elsewhere = await make_site(**stripe.settings)
    assert "Refunded $0.50" in await said(elsewhere, capsys, f"refund {session_id}")
    await socket.receive("access:changed", access="unpaid")
    assert "already" in await said(elsewhere, capsys, f"refund {session_id}", 1)
    assert "no such payment" in await said(elsewhere, capsys, "refund pi_nobody", 1)
    socket.close()
    await socket.closed()


async def test_reconcile_reports_differences_by_its_exit_code(site, stripe, person, capsys) -> None:
    session_id = await paid(site.models, stripe, await person("Anna", access=None))
    assert "No differences" in await said(site, capsys, "reconcile --days 2")
    stripe.give_back(session_id)
    told = await said(site, capsys, "reconcile", 1)
    assert "refunded  here: 0  Stripe: 50" in told
    assert "1 difference in 30 days" in told


async def test_codes_are_created_listed_printed_and_switched_off(site, capsys, tmp_path) -> None:
    made = await said(site, capsys, "codes create --label Poster --uses 50")
    code = made.split()[0]
    assert f"/onboarding?inviteCode={code}" in made
    assert "0 of 50" in await said(site, capsys, "codes list")
    page = tmp_path / "poster.svg"
    await said(site, capsys, f"codes poster {code} {page}")
    assert xml.parse(page).getroot().get("width") == "210mm"
    assert "No such file" in await said(site, capsys, f"codes poster {code} {tmp_path}/none/poster.svg", 1)
    assert "off since" in await said(site, capsys, f"codes stop {code}")
    assert await said(site, capsys, "codes tree") == ""
    assert "no such code" in await said(site, capsys, "codes stop 0000000000000000", 1)
    assert "uses" in await said(site, capsys, "codes create --label Poster --uses 0", 1)


@pytest.mark.parametrize("word", ["help", "-h", "--help"])
def test_help_is_no_error(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([word], {}) == 0
    assert "checklist" in capsys.readouterr().err


def test_a_python_without_the_libraries_names_the_right_one() -> None:
    """`python3 server.py doctor` in a checkout whose libraries are in .venv."""
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "server.py", "doctor"], cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert ".venv/bin/python" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("line", ["", "payments --days 0", "refund", "codes", "codes create", "nonsense"])
def test_invalid_arguments_are_answered_by_the_usage(line, capsys) -> None:
    with pytest.raises(SystemExit) as left:
        parse(line.split())
    assert left.value.code == 2
    assert "usage" in capsys.readouterr().err


async def test_staff_is_created_listed_and_switched_off(site, capsys) -> None:
    made = await said(site, capsys, "admin add mia@example.com --role admin")
    assert "/admin/enrol?link=" in made
    assert "not enrolled yet" in await said(site, capsys, "admin list")
    assert "already taken" in await said(site, capsys, "admin add MIA@example.com", 1)
    assert "/admin/enrol?link=" in await said(site, capsys, "admin reset mia@example.com")
    assert "moderator now" in await said(site, capsys, "admin role mia@example.com --role moderator")
    assert "switched off" in await said(site, capsys, "admin disable mia@example.com")
    assert "no member of staff with that name" in await said(site, capsys, "admin disable Nobody", 1)
    listed = await said(site, capsys, "admin list")
    assert "moderator  off" in listed


async def test_changes_by_commands_are_in_the_audit_log(site, stripe, person, capsys) -> None:
    session_id = await paid(site.models, stripe, await person("Anna", access=None))
    await said(site, capsys, f"refund {session_id} --reason Twice")
    await said(site, capsys, "codes create --label Poster")
    told = [(one.actor, one.action, one.reason) for one in reversed(await site.models.audit.page())]
    assert told == [
        ("operator", "payment.refund.ask", "Twice"),
        ("operator", "payment.refund", ""),
        ("operator", "code.create", "Poster"),
    ]
    assert "Intact: 3 rows" in await said(site, capsys, "audit verify")


async def test_a_broken_audit_log_is_reported_by_the_exit_code(site, capsys) -> None:
    await said(site, capsys, "codes create --label Poster")
    async with site.models.db.transaction() as on:
        await on.link.execute("set local session_replication_role = replica")
        await on.link.execute("update audit_log set reason = 'another'")
    assert "Broken at row 1" in await said(site, capsys, "audit verify", 1)


async def test_a_user_is_deleted_and_tombstones_are_exported_and_applied(
    site, person, capsys, tmp_path
) -> None:
    anna, ben = await person("Anna"), await person("Ben", selfie=False)
    assert f"{anna.user_id} is deleted" in await said(site, capsys, f"delete {anna.user_id}")
    (written,) = await site.models.audit.page()
    assert (written.actor, written.action, written.target) == (
        "operator",
        "person.delete",
        f"user {anna.user_id}",
    )
    assert "no such person" in await said(site, capsys, "delete nobody", 1)
    assert "2 tombstones written" in await said(site, capsys, f"tombstones export {tmp_path / 'copy'}")
    with (tmp_path / "copy").open("a") as copy:
        copy.write(f"user {ben.user_id} 2026-11-24T12:00:00.000Z\n")
    told = await said(site, capsys, f"tombstones apply {tmp_path / 'copy'}")
    assert "3 tombstones read; deleted again: 1 people, 0 media" in told
    assert "No such file" in await said(site, capsys, f"tombstones apply {tmp_path / 'none'}", 1)
    assert await site.models.users.find(ben.user_id) is None


async def test_reading_commands_are_in_the_audit_log_but_its_check_is_not(site, capsys) -> None:
    for line in ("payments", "codes list", "codes tree", "admin list", "audit verify"):
        await said(site, capsys, line)
    told = [(one.action, one.target) for one in reversed(await site.models.audit.page())]
    assert told == [
        ("command.payments", "list"),
        ("command.codes", "list"),
        ("command.codes", "tree"),
        ("command.admin", "list"),
    ]


async def test_a_poster_is_written_to_standard_output(site, capfdbinary) -> None:
    code = await site.models.admin_codes.create("Poster", None)
    capfdbinary.readouterr()
    assert await run(parse(["codes", "poster", code.code, "-"]), site.models) == 0
    assert xml.fromstring(capfdbinary.readouterr().out).get("width") == "210mm"


async def test_a_user_s_data_are_written_to_a_new_file_that_only_its_owner_reads(
    site, person, capsys, tmp_path
) -> None:
    anna, file = await person("Anna"), tmp_path / "anna.zip"
    assert f"Written to {file}" in await said(site, capsys, f"export {anna.user_id} {file}")
    assert file.stat().st_mode & 0o777 == 0o600
    with ZipFile(file) as archive:
        assert anna.user_id in archive.read("data.json").decode()
    assert "File exists" in await said(site, capsys, f"export {anna.user_id} {file}", 1)
    assert "no such user" in await said(site, capsys, f"export nobody {file}", 1)


async def test_the_secret_is_encrypted_again_and_replaced(site, make_site, stripe, capsys) -> None:
    assert "SECRET_KEY is not set" in await said(site, capsys, "secret rotate", 1)
    keyed = await make_site(**stripe.settings, secret_key="k" * 32)
    assert ALREADY in await said(keyed, capsys, "secret rotate")
    newer = await make_site(**stripe.settings, secret_key="n" * 32, secret_key_previous=("k" * 32,))
    assert ROTATED in await said(newer, capsys, "secret rotate")
    assert REPLACED in await said(newer, capsys, "secret replace")


async def test_figures_about_moderation_are_printed(site, capsys) -> None:
    told = await said(site, capsys, "transparency 2026-01-01 2026-12-31")
    assert msgspec.json.decode(told) == {
        "first": "2026-01-01", "last": "2026-12-31", "automaticShare": None, "rows": [],
    }  # fmt: skip
    table = await said(site, capsys, "transparency 2026-01-01 2026-12-31 --csv")
    assert table.startswith("first,last,subject,kind,received")
    assert "Give two dates" in await said(site, capsys, "transparency 2026-01-01 x", 1)


@pytest.mark.parametrize("days", ["0", "-1", "soon", "3651", "9" * 5000])
def test_a_number_of_days_that_cannot_be_is_explained(capsys, days: str) -> None:
    with pytest.raises(SystemExit):
        parse(["payments", f"--days={days}"])
    assert "must be a number of days from 1 to 3650" in capsys.readouterr().err
