"""Rules that the text of the scripts must follow."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conftest import ROOT

STATIC = ROOT / "static"
OWN_SCRIPTS = [file for file in sorted(STATIC.rglob("*.js")) if "vendor" not in file.parts]


def test_nobody_operates_on_session_descriptions() -> None:
    """RFC 8829: an SDP text goes from setLocalDescription to the wire as it is; only its origin is read."""
    surgery = re.compile(
        r"sdp\w*\.(replace|split|concat|slice|trim)|sdp\s*\+?=[^=>]|a=fmtp|setCodecPreferences", re.I
    )
    scripts = {file.name: file.read_text() for file in OWN_SCRIPTS}
    assert len(scripts) > 30
    assert {name: found[0] for name, text in scripts.items() if (found := surgery.search(text))} == {}


def test_every_module_is_checked_by_the_type_checker() -> None:
    assert [file.name for file in OWN_SCRIPTS if not is_checked(file)] == []


def is_checked(file: Path) -> bool:
    text = file.read_text()
    return (
        text.startswith("// @ts-check\n")
        and "@ts-ignore" not in text
        and "@ts-nocheck" not in text.split("\n", 1)[1]
    )
