"""The rules of the house that no tool checks: what is named is there, and what is there is used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from models import keys
from tests.tree import CODE, OWN, ROOT, TESTS, name_of, text_of

MOST_LINES = 250
# A test file holds the cases of one noun; tables are long.
MOST_TEST_LINES = 360
# One page on purpose: the wiring, the messages, the state table, one protocol of an RFC, the call engine.
LONG = {
    "models/wiring.py",
    "models/messages.py",
    "models/call_state.py",
    "handlers/frames.py",
    "static/call.js",
}
# What is tested where it shows, and there.
ELSEWHERE = {
    "models/age_gate.py": "tests/handlers/test_age_gate.py",
    "models/bus_ears.py": "tests/models/test_bus.py",
    "models/bus_line.py": "tests/models/test_bus_wire.py",
    "models/db_connection.py": "tests/models/test_db_outages.py",
    "models/db_link.py": "tests/models/test_db.py",
    "models/db_pool.py": "tests/models/test_db.py",
    "models/dashboard.py": "tests/handlers/test_console.py",
    "models/people.py": "tests/handlers/test_console.py",
    "models/moderation.py": "tests/handlers/test_report_reviews.py",
    "handlers/dashboard.py": "tests/handlers/test_console.py",
    "handlers/people.py": "tests/handlers/test_console.py",
    "handlers/audit.py": "tests/handlers/test_console.py",
    "handlers/admin_payments.py": "tests/handlers/test_admin_codes.py",
    "handlers/staff.py": "tests/handlers/test_staff_sessions.py",
    "handlers/appeal_reviews.py": "tests/handlers/test_report_reviews.py",
    "models/erasure.py": "tests/models/test_deletions.py",
    "models/setting_checks.py": "tests/models/test_config.py",
    "models/database_url.py": "tests/models/test_setting_urls.py",
    "models/database_check.py": "tests/models/test_service_checks.py",
    "models/database_errors.py": "tests/models/test_service_checks.py",
    "models/redis_check.py": "tests/models/test_service_checks.py",
    "models/findings.py": "tests/models/test_service_checks.py",
    "models/host_checks.py": "tests/handlers/test_check_command.py",
    "models/setting_names.py": "tests/handlers/test_check_command.py",
    "models/service_urls.py": "tests/handlers/test_operator_commands.py",
    "models/redis_url.py": "tests/models/test_setting_urls.py",
    "models/ice_urls.py": "tests/webrtc/test_ice_urls.py",
    "handlers/privacy_commands.py": "tests/handlers/test_operator_commands.py",
    "models/second_factors.py": "tests/models/test_staff_sign_in.py",
    "models/staff_sessions.py": "tests/models/test_staff_sign_in.py",
    "handlers/staff_commands.py": "tests/handlers/test_operator_commands.py",
    "models/site_secret.py": "tests/models/test_bans.py",
    "models/stripe_types.py": "tests/models/test_stripe_objects.py",
    "models/report_reviews.py": "tests/models/test_reports.py",
    "models/partings.py": "tests/models/test_blocks.py",
    "models/ban_notices.py": "tests/models/test_bans.py",
    "models/admission.py": "tests/models/test_bans.py",
    "models/address_bans.py": "tests/models/test_bans.py",
    "handlers/cookies.py": "tests/handlers/test_accounts.py",
    "handlers/metrics.py": "tests/handlers/test_health.py",
    "handlers/problems.py": "tests/handlers/test_base.py",
    "handlers/routes.py": "tests/test_protocol.py",
    "models/embedded_place.py": "tests/models/test_embedded.py",
    "models/embedded_process.py": "tests/models/test_embedded.py",
    "models/embedded_servers.py": "tests/models/test_embedded.py",
    "models/errors.py": "tests/test_protocol.py",
    "models/health.py": "tests/handlers/test_health.py",
    "models/keys.py": "tests/test_house.py",
    "models/members.py": "tests/models/test_users.py",
    "models/messages.py": "tests/test_protocol.py",
    "models/call_record.py": "tests/models/test_calls.py",
    "models/payment_provider.py": "tests/models/test_test_checkout.py",
    "models/ring.py": "tests/models/test_invites.py",
    "models/setting_types.py": "tests/models/test_config.py",
    "models/statements.py": "tests/models/test_db.py",
    "models/setting_rules.py": "tests/test_operations.py",
    "models/sign_up.py": "tests/handlers/test_accounts.py",
    "models/visible_text.py": "tests/models/test_names.py",
    "models/wiring.py": "tests/conftest.py",
    "models/colours.py": "tests/models/test_pictures.py",
    "models/decoder.py": "tests/models/test_decoding.py",
    "models/decoder_processes.py": "tests/models/test_decoding.py",
    "models/jpeg_structure.py": "tests/models/test_pictures.py",
    "models/large_pictures.py": "tests/models/test_pictures.py",
    "models/mp4_boxes.py": "tests/models/test_video_copies.py",
}


def strings(file: Path) -> Iterator[str]:
    """The string literals of a module, docstrings left out."""
    tree = ast.parse(file.read_text())
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


# -- Python --


def test_no_sql_in_python() -> None:
    sql = r"\b(select\s.+\sfrom|insert\s+into|update\s+\w+\s+set|delete\s+from|(create|alter|drop)\s+table)\b"
    found = [(name_of(file), text) for file in CODE for text in strings(file) if re.search(sql, text, re.I)]
    assert found == []


def test_only_the_server_reads_the_environment() -> None:
    reads = re.compile(r"os\.environ|\bgetenv\b|import environ")
    assert [name_of(file) for file in CODE if reads.search(file.read_text())] == ["server.py"]


def test_tests_wait_for_a_condition_and_never_just_sleep() -> None:
    assert [name_of(file) for file in TESTS if has_loose_sleep(ast.parse(file.read_text()))] == []


def has_loose_sleep(node: ast.AST) -> bool:
    """A sleep outside of a `while`: nothing is asked between two of them. `sleep(0)` only lets others run."""
    if isinstance(node, ast.While):
        return False
    if isinstance(node, ast.Call) and re.fullmatch(r"(\w+\.)?sleep\((?!0\)).*\)", ast.unparse(node)):
        return True
    return any(map(has_loose_sleep, ast.iter_child_nodes(node)))


def test_nothing_is_left_for_later() -> None:
    marks = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "X" * 3]))
    assert [name_of(file) for file in OWN if marks.search(file.read_text())] == []


def test_no_file_is_long() -> None:
    lengths = {name_of(file): len(file.read_text().splitlines()) for file in OWN}
    most = {name: MOST_TEST_LINES if name.startswith("tests/") else MOST_LINES for name in lengths}
    assert {
        name: length for name, length in lengths.items() if length > most[name] and name not in LONG
    } == {}


def test_every_module_has_its_tests() -> None:
    """tests/models/test_calls.py, or, where that would be long, test_calls_….py."""
    written = {f"{file.parent.name}/{file.stem}_" for file in TESTS}
    modules = [file for file in CODE[1:] if file.stem != "__init__"]
    untested = {
        name_of(file)
        for file in modules
        if not any(one.startswith(f"{file.parent.name}/test_{file.stem}_") for one in written)
    }
    assert untested - ELSEWHERE.keys() == set()
    assert all((ROOT / test).exists() for test in ELSEWHERE.values())
    assert ELSEWHERE.keys() <= {name_of(file) for file in modules}


# -- SQL, Lua, Redis --


def statements_written() -> set[str]:
    return {
        f"{file.stem}.{name}"
        for file in (ROOT / "sql").glob("*.sql")
        for name in re.findall(r"^-- name: (\w+)", file.read_text(), re.M)
    }


def statements_called() -> set[str]:
    called = set()
    for file in CODE:
        text = file.read_text()
        called |= {
            f"{noun}.{name}" for noun, name in re.findall(r"\bstatement\(\"(\w+)\", \"(\w+)\"\)", text)
        }
        for attribute, noun in re.findall(r"self\.(\w+) = db\.statements\(\"(\w+)\"\)", text):
            calls = re.findall(rf"self\.{attribute}\.(?:one|all|value|run)\(\s*\"(\w+)\"", text)
            called |= {f"{noun}.{name}" for name in calls}
    return called


def test_every_statement_is_called_and_every_called_one_exists() -> None:
    assert statements_called() == statements_written()


def test_every_lua_script_is_run_and_every_one_that_is_run_exists() -> None:
    files = sorted((ROOT / "models" / "lua").glob("*.lua"))
    run = set(re.findall(r"\.script\(\s*\"(\w+)\"", text_of(CODE)))
    run |= set(re.findall(r"^-- include: (\w+)", text_of(files), re.M))
    assert run == {file.stem for file in files}


def test_every_redis_name_is_used() -> None:
    lua = text_of(sorted((ROOT / "models" / "lua").glob("*.lua")))
    own, others = (ROOT / "models" / "keys.py").read_text(), text_of(CODE)
    names = re.findall(r"^(?:def )?(\w+)(?:\(| = )", own, re.M)
    assert "QUEUE" in names
    used = set(re.findall(r"\bkeys\.(\w+)", others))
    used |= {name for name in names if len(re.findall(rf"\b{name}\b", own)) > 1}
    used |= {name for name in names if f"'{getattr(keys, name)}" in lua}
    assert [name for name in names if name not in used] == []


def test_lua_makes_up_no_redis_name() -> None:
    known = {value for value in vars(keys).values() if isinstance(value, str)}
    used = re.findall(r"'(ns:[\w:-]*)'", text_of(sorted((ROOT / "models" / "lua").glob("*.lua"))))
    assert used
    assert set(used) <= known


# -- documents --


def test_a_decision_is_short_and_has_its_three_parts() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert files
    for file in files:
        text = file.read_text()
        assert len(text.splitlines()) <= 20, file.name
        assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.M) == ["Context", "Decision", "Consequence"], (
            file.name
        )


def test_decisions_that_the_code_names_exist() -> None:
    for name in re.findall(r"docs/decisions/([\w-]+\.md)", text_of(OWN)):
        assert (ROOT / "docs" / "decisions" / name).exists(), name
