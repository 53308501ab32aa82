"""References of reports and notices: short enough for letters and phone calls. Pure."""

from __future__ import annotations


def report_reference(report_id: str) -> str:
    """As `R-3F2A9C01D4`."""
    return f"R-{_short(report_id)}"


def notice_reference(notice_id: str) -> str:
    """As `N-3F2A9C01D4`."""
    return f"N-{_short(notice_id)}"


def _short(row_id: str) -> str:
    return row_id.replace("-", "")[:10].upper()
