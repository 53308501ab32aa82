"""Static files: their versions, their URLs, and what a page preloads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handlers.http.assets import STATIC, is_as_started, modules, static_url


def test_a_static_url_has_the_version_and_a_missing_file_raises() -> None:
    assert re.fullmatch(r"/static/[0-9a-f]{12}/css/app\.css", static_url("css/app.css"))
    with pytest.raises(FileNotFoundError):
        static_url("nowhere.css")


def test_a_file_changed_since_the_start_does_not_belong_to_the_version(tmp_path: Path) -> None:
    assert is_as_started(STATIC / "app.js")
    (tmp_path / "app.js").touch()
    assert not is_as_started(tmp_path / "app.js")


def test_a_page_preloads_static_imports_but_not_dynamic_ones() -> None:
    assert modules("copy_button.js", "app.js") == ("announce.js", "app.js", "copy_button.js", "islands.js")
    assert "signed_out.js" in modules("ringing/ring.js")  # Imported for its side effects.
