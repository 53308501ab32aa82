"""The map in CONTRIBUTING.md compared with the code: every file and function that it names exists."""

from __future__ import annotations

import ast
import configparser
import re

import pytest

from tests.support.markdown import section
from tests.support.source_tree import ROOT

DOCUMENT = (ROOT / "CONTRIBUTING.md").read_text()
PLACES = sorted(set(re.findall(r"`([\w/]+\.py):(\w+)`", DOCUMENT)))
JOURNEYS = re.split(r"^\*\*.*\*\*$", section(DOCUMENT, "## Five journeys"), flags=re.M)[1:]
EXAMPLES = section(DOCUMENT, "## Add a noun")


def functions_of(path: str) -> set[str]:
    """The names of the functions and methods of a module."""
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize(("path", "function"), PLACES)
def test_a_named_function_exists(path: str, function: str) -> None:
    assert function in functions_of(path)


def test_named_files_exist() -> None:
    named = re.findall(r"`((?:\w+/)+[\w.]+\.\w+)", DOCUMENT.replace(EXAMPLES, ""))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_five_journeys_have_at_most_ten_lines_each() -> None:
    assert len(JOURNEYS) == 5
    for journey in JOURNEYS:
        assert 5 <= len(journey.strip().splitlines()) <= 10


@pytest.mark.parametrize("layer", ["models", "handlers"])
def test_the_map_shows_every_package(layer: str) -> None:
    shown = set(re.findall(r"\w+", section(DOCUMENT, "## The map").split("```")[1]))
    packages = {file.parent.name for file in (ROOT / layer).glob("*/__init__.py")}
    assert packages - shown == set()


def test_the_map_shows_the_models_in_the_order_of_their_contract() -> None:
    contracts = configparser.ConfigParser(interpolation=None)
    contracts.read(ROOT / "setup.cfg")
    layers = contracts["importlinter:contract:models"]["layers"]
    packages = {file.parent.name for file in (ROOT / "models").glob("*/__init__.py")}
    drawing = section(DOCUMENT, "## The map").split("```")[1].partition("models/")[2].partition("sql/")[0]
    order = [name for name in re.findall(r"\w+", layers) if name in packages]
    lines = drawing.splitlines()
    rows = [next(i for i, line in enumerate(lines) if re.search(rf"\b{name}\b", line)) for name in order]
    assert rows == sorted(rows)
