"""Browser APIs that the oldest supported browsers lack, and their guards
(docs/decisions/web/oldest-browsers.md).
"""

from __future__ import annotations

import re

import pytest

from tests.support.source_tree import ROOT, name_of

SCRIPTS = sorted(file for file in (ROOT / "static").rglob("*.js") if "vendor" not in file.parts)
VENDOR = sorted((ROOT / "static" / "vendor").glob("*.js"))
# Newer than Chrome 94, Safari 15.4 or Firefox 113, or missing on plain http and in some modes: the code that
# uses each API, and the guard that must be on the same line, or in the same file (`file:`).
NEWER = {
    r"AbortSignal\.(timeout|any)\b": None,
    r"\bPromise\.(withResolvers|try)\b": None,
    r"\b(Object|Map)\.groupBy\b": None,
    r"\.(toSorted|toReversed|toSpliced|findLast|findLastIndex|with)\(": None,
    r"\bArray\.fromAsync\b": None,
    r"\bstructuredClone\b": None,
    r"\bcrypto\.(randomUUID|subtle)\b": None,
    r"\brequestIdleCallback\b|\bscheduler\.|\bqueueMicrotask\b": None,
    r"\b(BroadcastChannel|ResizeObserver|OffscreenCanvas|RTCRtpScriptTransform|CompressionStream)\b": None,
    r"\bnavigator\.locks\b|\blocks\.request\b": None,
    r"\brequestVideoFrameCallback\b": None,
    r"\.(inert|closedBy|popover)\b|showPopover|requestClose\(": None,
    r":(modal|has|is|where)\b": None,
    r"\.(checkVisibility|moveBefore|setHTMLUnsafe|replaceAllWith)\(": None,
    r"startViewTransition": None,
    r"new Set\([^)]*\)\.(union|intersection|difference)|\.isSubsetOf\(": None,
    r"\bawait using\b|\busing [a-z]\w* =": None,
    r"\(\?<[=!]": None,
    r"/[a-z]*v[a-z]*\.(test|exec)": None,
    r"\.requestSubmit\(": r"if \(form\.requestSubmit\)",
    r"\.setSinkId\(": 'file:"setSinkId" in',
    r"navigator\.wakeLock": 'file:"wakeLock" in navigator',
    r"navigator\.permissions": r"\.catch\(",
    r"navigator\.connection|\bconnection\?\.": r"\?\.",
    r"navigator\.userActivation": r"userActivation\?\.",
    r"navigator\.vibrate": r"vibrate\?\.",
    r"navigator\.clipboard": "file:navigator\\.clipboard\\?\\.|Boolean\\(navigator\\.clipboard\\)",
    r"navigator\.share\(": 'file:"share" in navigator',
    r"navigator\.serviceWorker": 'file:"serviceWorker" in navigator',
    r"\bNotification\.|new Notification": 'file:typeof Notification === "undefined"',
    r"navigator\.mediaDevices\.": "file:mediaDevices\\?\\.|devices\\?\\.|!navigator\\.mediaDevices",
    r"\.setConfiguration": r"setConfiguration\?\.",
    r"\.contentHint": r"",
    r"\bMediaRecorder\b": "file:window\\.MediaRecorder",
    r"\b(localStorage|sessionStorage)\b": "only:storage.js",
}


# What Safari 15.4 knows by its older name only.
PREFIXED = ("user-select", "backdrop-filter", "mask-image", "text-size-adjust", "box-decoration-break")


def bad_lines(text: str, name: str, newer: str, guard: str | None) -> list[str]:
    code = re.sub(r"/\*.*?\*/", lambda found: "\n" * found[0].count("\n"), text, flags=re.S)
    lines = [line for line in re.sub(r"(?m)(^|\s)//.*$", "", code).splitlines() if re.search(newer, line)]
    if guard is None:
        return lines
    if guard.startswith("only:"):
        return [] if name.endswith(guard[5:]) else lines
    if guard.startswith("file:"):
        return [] if re.search(guard[5:], code) else lines
    return [line for line in lines if not re.search(guard, line)]


@pytest.mark.parametrize("newer", NEWER)
def test_newer_apis_are_used_only_behind_a_guard(newer: str) -> None:
    found = {name_of(file): bad_lines(file.read_text(), file.name, newer, NEWER[newer]) for file in SCRIPTS}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_the_checker_finds_unguarded_apis() -> None:
    assert bad_lines("const x = AbortSignal.timeout(1);", "a.js", r"AbortSignal\.(timeout|any)\b", None)
    assert not bad_lines("// AbortSignal.timeout\n", "a.js", r"AbortSignal\.(timeout|any)\b", None)
    guarded = r"if \(form\.requestSubmit\)"
    assert bad_lines("form.requestSubmit();", "a.js", r"\.requestSubmit\(", guarded)
    assert not bad_lines(
        "if (form.requestSubmit) form.requestSubmit();", "a.js", r"\.requestSubmit\(", guarded
    )


@pytest.mark.parametrize("name", PREFIXED)
def test_safari_is_given_its_own_names_of_properties(name: str) -> None:
    sheets = "\n".join(sheet.read_text() for sheet in (ROOT / "static" / "css").glob("*.css"))
    plain = re.findall(rf"(?<![-\w]){name}: ?([^;}}]+)", sheets)
    prefixed = re.findall(rf"-webkit-{name}: ?([^;}}]+)", sheets)
    assert sorted(plain) == sorted(prefixed)


def test_htmx_guards_newer_apis() -> None:
    (htmx,) = VENDOR
    text = htmx.read_text()
    for newer in (
        r"AbortSignal\.(timeout|any)",
        "withResolvers",
        "groupBy",
        "structuredClone",
        r"\.toSorted\(",
    ):
        assert not re.search(newer, text), newer
    for guarded in ("startViewTransition", "moveBefore"):
        assert len(re.findall(guarded, text)) >= 2, f"{guarded}: looked for, then used"


def test_the_script_for_old_browsers_is_in_the_oldest_syntax() -> None:
    text = (ROOT / "static" / "support.js").read_text()
    code = re.sub(r"/\*.*?\*/|\"(?:[^\"\\]|\\.)*\"", "", text, flags=re.S)
    modern = r"=>|`|\?\?|\?\.|\blet\b|\bconst\b|\bclass\b|\bimport\b|\basync\b|\.\.\.|catch \{"
    assert re.findall(modern, code) == []
