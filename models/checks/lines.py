"""One line of the doctor's report: what was checked, and what is wrong with which setting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from models.findings import Findings

State = Literal["fine", "wrong", "note", "skipped"]


class Line(msgspec.Struct, frozen=True):
    """`text` of a wrong line begins with the setting to change and shows no secret."""

    check: str
    state: State
    text: str


def fine(check: str, text: str) -> Line:
    return Line(check, "fine", text)


def wrong(check: str, text: str) -> Line:
    return Line(check, "wrong", text)


def skipped(check: str, text: str) -> Line:
    return Line(check, "skipped", text)


def judged(check: str, findings: Findings, otherwise: str) -> list[Line]:
    """The findings as lines; one fine line if there is none. Notes are shown as such."""
    lines = [wrong(check, text) for text in (*findings.refused, *findings.to_mend)]
    lines += [Line(check, "note", text) for text in findings.notes]
    return lines or [fine(check, otherwise)]


def faults(check: str, texts: Iterable[str], otherwise: str) -> list[Line]:
    """Every text is a fault; one fine line if there is none."""
    return [wrong(check, text) for text in texts] or [fine(check, otherwise)]
