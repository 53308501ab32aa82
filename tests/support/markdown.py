"""A parser for our own documents: sections, tables, and code in backticks."""

from __future__ import annotations

import re


def section(text: str, heading: str) -> str:
    """The text from a heading to the next of the same or a higher level, ignoring code blocks."""
    level = len(heading.split(" ")[0])
    start = re.search(rf"^{re.escape(heading)}$", text, re.M)
    assert start is not None, f"there is no section {heading!r}"
    kept: list[str] = []
    is_code = False
    for line in text[start.end() :].splitlines():
        is_code ^= line.startswith("```")
        if not is_code and re.match(rf"#{{1,{level}}} ", line):
            break
        kept.append(line)
    return "\n".join(kept)


def table(text: str, first: str) -> list[list[str]]:
    """The rows of every table whose first column has this heading."""
    rows: list[list[str]] = []
    head = ""
    for line in text.splitlines():
        parts = [part.strip() for part in line.strip("|").split("|")] if line.startswith("|") else []
        if not parts:
            head = ""
        elif not head:
            head = parts[0]
        elif head == first and not set(parts[0]) <= set("-:"):
            rows.append(parts)
    return rows


def cells(text: str) -> list[str]:
    """The texts in backticks."""
    return re.findall(r"`([^`]+)`", text)
