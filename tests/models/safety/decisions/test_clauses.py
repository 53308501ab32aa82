"""The clauses that decisions name are those of the shipped terms."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from models.safety.decisions.clauses import CLAUSES, clause_of
from models.safety.reports import REASONS
from tests.conftest import MakeSite


@pytest.mark.parametrize("reason", REASONS)
async def test_each_reason_has_a_clause_of_the_terms(make_site: MakeSite, reason: str) -> None:
    site = await make_site()
    terms = (await site.browser().get("/terms")).text
    clause = CLAUSES[reason]
    anchor = clause.path.partition("#")[2]
    (found,) = re.findall(rf'<p id="{anchor}"><strong class="clause">([\d.]+)</strong> (.*)</p>', terms)
    assert (found[0], unescape(found[1])) == (clause.number, clause.words)


async def test_terms_of_the_operator_have_other_numbers(make_site: MakeSite, tmp_path: Path) -> None:
    path = tmp_path / "terms.md"
    path.write_text("# Our rules")
    site = await make_site(terms_file=path)
    clause = clause_of("spam", site.config)
    assert (clause.number, clause.path, clause.text) == (None, "/terms", "No selling, no spam, no bots.")
    assert clause_of("spam", (await make_site()).config).text.startswith("Clause 2.3 of the terms")
