"""The version of the site, as in the file VERSION."""

from __future__ import annotations

from pathlib import Path

VERSION = (Path(__file__).resolve().parent.parent.parent / "VERSION").read_text(encoding="ascii").strip()
