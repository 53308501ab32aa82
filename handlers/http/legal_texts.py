"""The operator's own terms and privacy page: a file of Markdown (CommonMark) or plain text. [markdown_it]

Promises that nothing in the file becomes a script or a foreign element: HTML in it is shown as text, and only
links with harmless schemes are links. Read once, at the start.
"""

from __future__ import annotations

from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup


def own_text(file: Path | None) -> Markup | None:
    """None: ours is shown. Raises OSError, UnicodeDecodeError (the settings have looked before)."""
    if file is None:
        return None
    # Some editors begin a file with a mark of its encoding: it is no part of the first heading.
    return rendered(file.read_text(encoding="utf-8-sig"))


def rendered(text: str) -> Markup:
    return Markup(MarkdownIt("commonmark", {"html": False}).render(text))
