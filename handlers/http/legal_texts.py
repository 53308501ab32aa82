"""The operator's own terms and privacy page: a file of Markdown (CommonMark) or plain text.

Nothing in the file becomes a script or an embedded element: HTML in it is shown as text, and only links with
harmless schemes are links. Read once, at the start. The only module that imports markdown_it.
"""

from __future__ import annotations

import re
from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup

CLAUSE = re.compile(r"<p>(\d+)\.(\d+) ")


def own_text(file: Path | None) -> Markup | None:
    """The operator's text as HTML; None: the built-in text is shown. Raises: OSError, UnicodeDecodeError,
    although the settings have checked the file.
    """
    if file is None:
        return None
    # Some editors put a byte order mark at the start of a file: it is not part of the first heading.
    return rendered(file.read_text(encoding="utf-8").removeprefix("\ufeff"))


def rendered(text: str) -> Markup:
    return Markup(MarkdownIt("commonmark", {"html": False}).render(text))


def terms_page(text: str) -> Markup:
    """Paragraphs that begin with a number such as `2.3` can be linked to, as `#clause-2-3`."""
    numbered = r'<p id="clause-\1-\2"><strong class="clause">\1.\2</strong> '
    return Markup(CLAUSE.sub(numbered, str(rendered(text))))
