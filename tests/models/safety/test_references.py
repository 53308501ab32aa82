"""References of reports and notices."""

from __future__ import annotations

from models.safety.references import notice_reference, report_reference

ID = "3f2a9c01-d4e5-4f60-8a7b-9c0d1e2f3a4b"


def test_they_name_their_kind_and_are_short() -> None:
    assert (report_reference(ID), notice_reference(ID)) == ("R-3F2A9C01D4", "N-3F2A9C01D4")
