"""Paths of files and directories: DATA_DIR, TERMS_FILE, PRIVACY_FILE, SSL_CERT_FILE."""

from __future__ import annotations

import re
import ssl
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


def certificates(text: str) -> Path:
    """A file of certificates; OpenSSL ignores a missing one and trusts no server. Raises: Unusable."""
    file = plain_path(text)
    try:
        ssl.create_default_context().load_verify_locations(file)
    except (OSError, ValueError):
        raise Unusable("must be a file of certificates in PEM form that this process can read") from None
    return file


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
