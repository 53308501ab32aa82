"""The rules of the house that no tool checks: what is named is there, and what is there is used."""

from __future__ import annotations

import ast
import functools
import gzip
import operator
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from jinja2 import Environment, nodes

from models import keys

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "templates"
CODE = [
    ROOT / "server.py",
    *sorted((ROOT / "handlers").glob("*.py")),
    *sorted((ROOT / "models").glob("*.py")),
]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PAGES = sorted(TEMPLATES.rglob("*.html"))
SCRIPTS = sorted((ROOT / "static").glob("*.js"))
SERVED = [
    file
    for file in sorted((ROOT / "static").rglob("*"))
    if file.suffix in {".js", ".css", ".svg", ".webmanifest"} and "vendor" not in file.parts
]
OWN = [
    *CODE, *TESTS, *PAGES, *SERVED, *sorted((ROOT / "sql").rglob("*.sql")),
    *sorted((ROOT / "models" / "lua").glob("*.lua")), *sorted((ROOT / "bench").rglob("*.py")),
]  # fmt: skip
MOST_LINES = 250
# One page on purpose: the whole wire, the one pure table, one protocol of an RFC.
LONG = {"models/messages.py", "models/call_state.py", "handlers/frames.py"}
MOST_SCRIPT_BYTES = 80_000
# What is tested where it shows, and there.
ELSEWHERE = {
    "handlers/cookies.py": "tests/handlers/test_accounts.py",
    "handlers/frames.py": "tests/handlers/test_base_socket.py",
    "handlers/metrics.py": "tests/handlers/test_health.py",
    "handlers/routes.py": "tests/test_protocol.py",
    "models/embedded_place.py": "tests/models/test_embedded.py",
    "models/embedded_process.py": "tests/models/test_embedded.py",
    "models/embedded_servers.py": "tests/models/test_embedded.py",
    "models/errors.py": "tests/test_protocol.py",
    "models/health.py": "tests/handlers/test_health.py",
    "models/keys.py": "tests/test_house.py",
    "models/members.py": "tests/models/test_users.py",
    "models/messages.py": "tests/test_protocol.py",
    "models/ring.py": "tests/models/test_invites.py",
    "models/setting_rules.py": "tests/test_operations.py",
    "models/sign_up.py": "tests/handlers/test_accounts.py",
    "models/wiring.py": "tests/conftest.py",
}


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def text_of(files: list[Path]) -> str:
    return "\n".join(file.read_text() for file in files)


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
    assert {
        name: length for name, length in lengths.items() if length > MOST_LINES and name not in LONG
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


# -- pages --


def mentioned(text: str) -> set[str]:
    return set(re.findall(r"\"([\w/]+\.html)\"", text))


def test_every_template_is_used_and_every_used_one_exists() -> None:
    used = mentioned(text_of(CODE) + text_of(PAGES))
    assert used == {file.relative_to(TEMPLATES).as_posix() for file in PAGES}


def test_no_inline_script_or_style() -> None:
    inline = re.compile(r"<style|\sstyle=|\son[a-z]+=|\shx-on|javascript:|<script(?![^>]*\ssrc=)", re.I)
    assert [name_of(file) for file in PAGES if inline.search(without_comments(file.read_text()))] == []


def without_comments(template: str) -> str:
    return re.sub(r"{#.*?#}", "", template, flags=re.S)


def test_ids_are_unique_in_a_template_and_what_it_includes() -> None:
    for file in PAGES:
        ids = ids_of(Environment().parse(file.read_text()))
        assert [one for one, count in ids.items() if count > 1] == [], name_of(file)


def ids_of(node: nodes.Node) -> Counter[str]:
    """Of an `if`, one branch is shown: the most that any of them has."""
    if isinstance(node, nodes.TemplateData):
        return Counter(re.findall(r"\sid=\"([^\"]+)\"", node.data))
    if isinstance(node, nodes.Include | nodes.Extends) and isinstance(node.template, nodes.Const):
        return ids_of(Environment().parse((TEMPLATES / node.template.value).read_text()))
    if isinstance(node, nodes.If):
        branches = [node.body, node.else_, *([one] for one in node.elif_)]
        return functools.reduce(operator.or_, (ids_of_all(branch) for branch in branches))
    return ids_of_all(node.iter_child_nodes())


def ids_of_all(children: Iterable[nodes.Node]) -> Counter[str]:
    return sum((ids_of(child) for child in children), Counter())


def test_nothing_comes_from_elsewhere() -> None:
    address = re.compile(r"(?:https?:|wss?:)?//[\w-]+\.[\w.-]+")
    found = {(name_of(file), url) for file in [*PAGES, *SERVED] for url in address.findall(file.read_text())}
    # The name of a format, never fetched.
    assert {one for one in found if one[1] != "http://www.w3.org"} == set()


def test_the_scripts_are_small() -> None:
    files = [*SCRIPTS, *(ROOT / "static" / "vendor").glob("*.js")]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) < MOST_SCRIPT_BYTES


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
