"""Every cause names what to change, and is in the operator's documentation."""

from __future__ import annotations

import pytest

from models.monitoring.misconfiguration_causes import CAUSES
from tests.conftest import ROOT

DOCUMENT = (ROOT / "docs" / "operations.md").read_text()


@pytest.mark.parametrize("name", CAUSES)
def test_a_cause_is_documented(name: str) -> None:
    cause = CAUSES[name]
    assert f"`{name}`" in DOCUMENT
    assert cause.text.endswith(".")
    assert cause.setting in ("proxy", "clock", "ulimit -n") or f"`{cause.setting}`" in DOCUMENT
