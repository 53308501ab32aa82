"""Rules for templates and scripts: all are used, nothing inline or from third parties, small."""

from __future__ import annotations

import functools
import gzip
import operator
import re
from collections import Counter
from collections.abc import Iterable

from jinja2 import Environment, nodes

from tests.support.source_tree import CODE, PAGES, ROOT, SERVED, TEMPLATES, name_of, text_of

# 80,000 until the scripts named each device fault, checked before going online, and supported old and
# restricted browsers (issue 11, C3, C5, C6); 95,000 until room, call and end of call became one document;
# 106,000 until a lost network was noticed within a second, and End went by HTTP as well; 109,000 until the
# seat of a call was taken before its page is there.
MOST_SCRIPT_BYTES = 112_000


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
    """The ids of a template. Of the branches of an `if`, only one is shown: the maximum of each id counts."""
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


def test_no_third_party_content() -> None:
    address = re.compile(r"(?:https?:|wss?:)?//[\w-]+\.[\w.-]+")
    found = {(name_of(file), url) for file in [*PAGES, *SERVED] for url in address.findall(file.read_text())}
    # The name of a format, never fetched.
    assert {one for one in found if one[1] != "http://www.w3.org"} == set()


def test_the_scripts_are_small() -> None:
    files = sorted((ROOT / "static").rglob("*.js"))
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) < MOST_SCRIPT_BYTES
