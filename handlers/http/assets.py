"""Static files: their version, their URLs, and the scripts that a page preloads."""

from __future__ import annotations

import hashlib
import posixpath
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
STATIC = ROOT / "static"
IMPORTED = re.compile(r'^(?:import|export)\b[^;]*?"(\.{1,2}/[\w./]+)"', re.M)


@cache
def _as_started() -> tuple[str, dict[Path, tuple[int, int]]]:
    """The version of static/, and each file's size and modification time (ns) when the version was
    computed.
    """
    digest, stamps = hashlib.sha256(), {}
    for file in sorted(file for file in STATIC.rglob("*") if file.is_file()):
        digest.update(file.relative_to(STATIC).as_posix().encode() + b"\0" + file.read_bytes())
        stamps[file] = (file.stat().st_size, file.stat().st_mtime_ns)
    return digest.hexdigest()[:12], stamps


def static_version() -> str:
    """Changes when any file under static/ does; one version for all, so that relative names keep it."""
    return _as_started()[0]


def is_as_started(file: Path) -> bool:
    """Whether the version is still valid for this file: it may have been replaced under a running server."""
    stat = file.stat()
    return _as_started()[1].get(file) == (stat.st_size, stat.st_mtime_ns)


@cache
def static_url(path: str) -> str:
    """`/static/<version>/app.css`, which browsers may cache for ever."""
    if not (STATIC / path).is_file():
        raise FileNotFoundError(path)
    return f"/static/{static_version()}/{path}"


@cache
def modules(*names: str) -> tuple[str, ...]:
    """These scripts and all their static imports (not dynamic ones), so that a page can preload all of
    them.
    """
    found: list[str] = []
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.append(name)
            folder = posixpath.dirname(name)
            imported = IMPORTED.findall((STATIC / name).read_text(encoding="utf-8"))
            waiting += [posixpath.normpath(posixpath.join(folder, path)) for path in imported]
    return tuple(sorted(found))
