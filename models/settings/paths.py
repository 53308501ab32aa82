"""Paths of files and directories: DATA_DIR, TERMS_FILE, PRIVACY_FILE."""

from __future__ import annotations

import re
from pathlib import Path

from models.settings.urls import Unusable

MOST_TEXT_BYTES = 256 * 1024
# What only a shell, a template or a browser would replace.
PLACEHOLDER = re.compile(r"\A~|\A\w+://|\$[\w{(]|\{\{|%\w+%|\A<.*>\Z")


def plain_path(text: str) -> Path:
    """A path as the system takes it. Raises: Unusable."""
    if PLACEHOLDER.search(text):
        raise Unusable("must be a plain path, without ~, file:// or placeholders such as $HOME")
    return Path(text)


def text_file(text: str) -> Path:
    """A readable UTF-8 text file of at most 256 KiB. Raises: ValueError."""
    file = Path(text)
    try:
        if not file.is_file() or file.stat().st_size > MOST_TEXT_BYTES:
            raise ValueError
        file.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError from error
    return file
