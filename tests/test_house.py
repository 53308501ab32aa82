"""The rules of the house that no tool checks: what is named is there, and what is there is used."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from models.redis import keys
from tests.support.source_tree import CODE, LUA, OWN, ROOT, TESTS, name_of, text_of

MOST_LINES = 250
# A test file has the cases of one noun; tables are long.
MOST_TEST_LINES = 360
# Files in one folder: more are no list that can be read at a glance.
MOST_FILES = 19
# Single files on purpose: the messages, the state table, the call engine.
LONG = {
    "models/messages.py",
    "models/calls/state.py",
    "static/call/webrtc/engine.js",
}

# Tested by the whole site (URLs, sockets, commands), in test files of other names. None may be added.
ONLY_IN_USE = {
    "handlers.base.cookies",
    "handlers.commands.privacy",
    "handlers.commands.staff",
    "handlers.console.notice_reviews",
    "handlers.realtime.sockets",
    "models.settings.version",
}


def strings(file: Path) -> Iterator[str]:
    """The string literals of a module, without docstrings."""
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
    """A sleep outside of a `while`, where no condition is checked. `sleep(0)` only yields to other tasks."""
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


def test_no_folder_is_crowded() -> None:
    sizes = Counter(name_of(file.parent) for file in [*CODE, *TESTS] if file.stem != "__init__")
    assert {folder: size for folder, size in sizes.items() if size > MOST_FILES} == {}


# Documented in spite of its underscore.
DOCUMENTED = {"_exit", "_replace", "_asdict"}


def test_no_private_names_of_libraries() -> None:
    """A private attribute that our code reads or overrides is one that our code defines."""
    trees = {name_of(file): ast.parse(file.read_text()) for file in CODE}
    nodes = [(name, node) for name, tree in trees.items() for node in ast.walk(tree)]
    own = {
        name
        for _file, node in nodes
        for name in (getattr(node, "name", None), getattr(node, "id", None), getattr(node, "attr", None))
        if isinstance(name, str) and not (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load))
    }
    used = {
        f"{file}: {node.attr}"
        for file, node in nodes
        if isinstance(node, ast.Attribute) and re.match(r"_[a-z]", node.attr)
        if node.attr not in own | DOCUMENTED or ast.unparse(node.value) == "super()"
    }
    assert used == set()


def test_a_class_name_has_one_meaning() -> None:
    """No name of a class or type alias is defined in two modules of the site."""
    places: dict[str, set[str]] = {}
    for file in CODE:
        for node in ast.parse(file.read_text()).body:
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            name = node.name if isinstance(node, ast.ClassDef) else getattr(target, "id", "")
            is_type = re.match(r"_?[A-Z][a-z]", name) and "TypeVar(" not in ast.unparse(node)
            if is_type:
                places.setdefault(name, set()).add(name_of(file))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def packages() -> dict[Path, list[Path]]:
    """The modules of every package of handlers and models."""
    found: dict[Path, list[Path]] = {}
    for file in CODE[1:]:
        if file.stem != "__init__":
            found.setdefault(file.parent, []).append(file)
    return found


def test_every_package_has_its_folder_of_tests() -> None:
    places = {name_of(package) for package in packages()}
    tested = {name_of(file.parent).removeprefix("tests/") for file in TESTS if file.name.startswith("test_")}
    assert places - tested == set()


def imported_by_tests() -> set[str]:
    found = set()
    for file in TESTS:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
    return found


def has_a_test_of_its_name(name: str) -> bool:
    """`models.calls.turn` has tests/models/calls/test_turn.py, which may reach it through the site."""
    *folders, noun = name.split(".")
    return (ROOT / "tests" / "/".join(folders) / f"test_{noun}.py").exists()


def test_every_module_has_its_test() -> None:
    imported = imported_by_tests()
    ours = [file for files in packages().values() for file in files if "robots" not in file.parts]
    names = {".".join(file.relative_to(ROOT).with_suffix("").parts) for file in ours}
    assert "models.calls.state" in imported
    untested = {name for name in names - imported if not has_a_test_of_its_name(name)}
    assert untested == ONLY_IN_USE


# -- SQL, Lua, Redis --


def statements_written() -> set[str]:
    return {
        f"{'.'.join(file.relative_to(ROOT / 'sql').with_suffix('').parts)}.{name}"
        for file in (ROOT / "sql").rglob("*.sql")
        if file.parent.name != "migrations"
        for name in re.findall(r"^-- name: (\w+)", file.read_text(), re.M)
    }


def statements_called() -> set[str]:
    called = set()
    for file in CODE:
        text = file.read_text()
        called |= {
            f"{noun}.{name}" for noun, name in re.findall(r"\bstatement\(\"(\w+)\", \"(\w+)\"\)", text)
        }
        for noun in re.findall(r"^NOUN = \"([\w.]+)\"", text, re.M):
            calls = re.findall(r"\w+\.(?:rows|value|run)\(\s*\"(\w+)\"", text)
            called |= {f"{noun}.{name}" for name in calls}
        for attribute, noun in re.findall(r"self\.(\w+) = db\.statements\(\"([\w.]+)\"\)", text):
            calls = re.findall(rf"self\.{attribute}\.(?:one|all|value|run)\(\s*\"(\w+)\"", text)
            called |= {f"{noun}.{name}" for name in calls}
    return called


def test_every_statement_exists_and_is_called() -> None:
    assert statements_called() == statements_written()


def test_every_lua_script_exists_and_is_run() -> None:
    run = set(re.findall(r"\.script\(\s*\"([\w.]+)\"", text_of(CODE)))
    run |= set(re.findall(r"^-- include: ([\w.]+)", text_of(LUA), re.M))
    assert run == {f"{file.parent.name}.{file.stem}" for file in LUA}


def test_every_redis_name_is_used() -> None:
    lua = text_of(LUA)
    own, others = (ROOT / "models" / "redis" / "keys.py").read_text(), text_of(CODE)
    names = re.findall(r"^(?:def )?(\w+)(?:\(| = )", own, re.M)
    assert "QUEUE" in names
    used = set(re.findall(r"\bkeys\.(\w+)", others))
    used |= {name for name in names if len(re.findall(rf"\b{name}\b", own)) > 1}
    used |= {name for name in names if f"'{getattr(keys, name)}" in lua}
    assert [name for name in names if name not in used] == []


def test_lua_makes_up_no_redis_name() -> None:
    known = {value for value in vars(keys).values() if isinstance(value, str)}
    used = re.findall(r"'(ns:[\w:-]*)'", text_of(LUA))
    assert used
    assert set(used) <= known


# -- documents --


def test_a_decision_is_short_and_has_its_three_parts() -> None:
    files = sorted((ROOT / "docs" / "decisions").rglob("*.md"))
    assert files
    for file in files:
        text = file.read_text()
        assert len(text.splitlines()) <= 20, file.name
        assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.M) == ["Context", "Decision", "Consequence"], (
            file.name
        )


def test_decisions_that_the_code_names_exist() -> None:
    for name in re.findall(r"docs/decisions/([\w/-]+\.md)", text_of(OWN)):
        assert (ROOT / "docs" / "decisions" / name).exists(), name


# Words of a mannered style. Plain ones: any user, again, in the meantime, no user, is notified, received.
DOCUMENTED_NODES = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
MANNERED = re.compile(
    r"\b(whoever|whomever|anew|meanwhile|nobody|somebody|whence|hence|therein|thereof|lest|all the same"
    r"|(?:is|are|was|were|be|been|being) told|(?:to|for) who\b|who finds"
    r"|what (?:comes|came|goes|went|waits|waited)|who (?:comes|came|goes|went))\b",
    re.IGNORECASE,
)


def prose_of(file: Path) -> str:
    """The comments and docstrings of a file; of a document all of it."""
    text = file.read_text()
    if file.suffix == ".py":
        nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, DOCUMENTED_NODES)]
        comments = re.findall(r"^\s*#.*|  #.*", text, re.M)
        return "\n".join([*(ast.get_docstring(node) or "" for node in nodes), *comments])
    if file.suffix in {".js", ".css"}:
        return "\n".join(re.findall(r"/\*.*?\*/|//.*", text, re.DOTALL | re.M))
    return text if file.suffix == ".md" else "\n".join(re.findall(r"--.*", text))


def test_the_language_is_plain() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "bench" / "README.md"]
    files = [
        file for file in [*OWN, *documents] if file.suffix in {".py", ".js", ".css", ".sql", ".lua", ".md"}
    ]
    found = {name_of(file): MANNERED.findall(prose_of(file)) for file in files}
    assert {name: words for name, words in found.items() if words} == {}
