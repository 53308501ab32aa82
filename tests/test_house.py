"""The rules of the house that no tool checks: what is named is there, and what is there is used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from models.redis import keys
from tests.support.source_tree import CODE, OWN, ROOT, TESTS, name_of, text_of

MOST_LINES = 250
# A test file holds the cases of one noun; tables are long.
MOST_TEST_LINES = 360
# One page on purpose: the wiring, the messages, the state table, one protocol of an RFC, the call engine.
LONG = {
    "models/wiring.py",
    "models/messages.py",
    "models/calls/state.py",
    "handlers/realtime/websocket.py",
    "static/call/engine.js",
}
# What is tested where it shows, and there.
ELSEWHERE = {
    "models/accounts/age_gate.py": "tests/handlers/accounts/test_age_gate.py",
    "models/redis/subscriber.py": "tests/models/redis/test_client.py",
    "models/redis/connection.py": "tests/models/redis/test_pipeline.py",
    "models/postgres/async_connection.py": "tests/models/postgres/test_outages.py",
    "models/postgres/connection.py": "tests/models/postgres/test_database.py",
    "models/postgres/pool.py": "tests/models/postgres/test_database.py",
    "models/console/dashboard.py": "tests/handlers/console/test_base.py",
    "models/console/members.py": "tests/handlers/console/test_base.py",
    "models/safety/moderation.py": "tests/handlers/console/test_report_reviews.py",
    "handlers/console/dashboard.py": "tests/handlers/console/test_base.py",
    "handlers/console/members.py": "tests/handlers/console/test_base.py",
    "handlers/console/audit_log.py": "tests/handlers/console/test_base.py",
    "handlers/console/payments.py": "tests/handlers/console/test_invite_codes.py",
    "handlers/console/staff.py": "tests/handlers/console/test_sign_in.py",
    "handlers/console/appeal_reviews.py": "tests/handlers/console/test_report_reviews.py",
    "models/accounts/erasure.py": "tests/models/accounts/test_deletions.py",
    "models/settings/checks.py": "tests/models/settings/test_config.py",
    "models/settings/database_url.py": "tests/models/settings/test_urls.py",
    "models/postgres/requirements.py": "tests/models/checks/test_services.py",
    "models/postgres/connection_errors.py": "tests/models/checks/test_services.py",
    "models/redis/requirements.py": "tests/models/checks/test_services.py",
    "models/findings.py": "tests/models/checks/test_services.py",
    "models/checks/host.py": "tests/handlers/commands/test_check.py",
    "models/settings/names.py": "tests/handlers/commands/test_check.py",
    "models/processes/service_urls.py": "tests/handlers/commands/test_cli.py",
    "models/settings/redis_url.py": "tests/models/settings/test_urls.py",
    "models/settings/ice_urls.py": "tests/webrtc/test_ice_urls.py",
    "handlers/commands/privacy.py": "tests/handlers/commands/test_cli.py",
    "models/security/second_factors.py": "tests/models/console/test_sign_in.py",
    "models/console/sessions.py": "tests/models/console/test_sign_in.py",
    "handlers/commands/staff.py": "tests/handlers/commands/test_cli.py",
    "models/security/site_secret.py": "tests/models/safety/test_bans.py",
    "models/billing/stripe_types.py": "tests/models/billing/test_stripe_types.py",
    "models/safety/report_reviews.py": "tests/models/safety/test_reports.py",
    "models/safety/interruptions.py": "tests/models/safety/test_blocks.py",
    "models/safety/ban_notices.py": "tests/models/safety/test_bans.py",
    "models/accounts/authentication.py": "tests/models/safety/test_bans.py",
    "models/safety/address_bans.py": "tests/models/safety/test_bans.py",
    "handlers/base/cookies.py": "tests/handlers/accounts/test_sign_up.py",
    "handlers/http/metrics.py": "tests/handlers/public/test_health.py",
    "handlers/http/problems.py": "tests/handlers/base/test_handler.py",
    "handlers/routes.py": "tests/test_protocol.py",
    "models/processes/data_directory.py": "tests/models/processes/test_embedded.py",
    "models/processes/child_process.py": "tests/models/processes/test_embedded.py",
    "models/processes/embedded_servers.py": "tests/models/processes/test_embedded.py",
    "models/errors.py": "tests/test_protocol.py",
    "models/health.py": "tests/handlers/public/test_health.py",
    "models/redis/keys.py": "tests/test_house.py",
    "models/security/member.py": "tests/models/profiles/test_users.py",
    "models/messages.py": "tests/test_protocol.py",
    "models/calls/call.py": "tests/models/calls/test_calls.py",
    "models/billing/payment_provider.py": "tests/models/billing/test_sandbox.py",
    "models/ringing/rings.py": "tests/models/ringing/test_invites.py",
    "models/settings/reader.py": "tests/models/settings/test_config.py",
    "models/postgres/statements.py": "tests/models/postgres/test_database.py",
    "models/settings/limits.py": "tests/test_operations.py",
    "models/accounts/sign_up.py": "tests/handlers/accounts/test_sign_up.py",
    "models/visible_text.py": "tests/models/profiles/test_names.py",
    "models/wiring.py": "tests/conftest.py",
    "models/profiles/colours.py": "tests/models/profiles/test_pictures.py",
    "models/profiles/decoder.py": "tests/models/profiles/test_decode_pool.py",
    "models/profiles/decoder_processes.py": "tests/models/profiles/test_decode_pool.py",
    "models/profiles/jpeg_structure.py": "tests/models/profiles/test_pictures.py",
    "models/profiles/large_pictures.py": "tests/models/profiles/test_pictures.py",
    "models/profiles/mp4_boxes.py": "tests/models/profiles/test_video_copies.py",
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
    """tests/models/calls/test_calls.py, or, where that would be long, test_calls_….py."""
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
