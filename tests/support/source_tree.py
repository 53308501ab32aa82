"""The files of the project, by kind."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATES = ROOT / "templates"
CODE = [
    ROOT / "server.py",
    *sorted((ROOT / "handlers").rglob("*.py")),
    *sorted((ROOT / "models").rglob("*.py")),
    *sorted((ROOT / "robots").rglob("*.py")),
]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PAGES = sorted(TEMPLATES.rglob("*.html"))
SERVED = [
    file
    for file in sorted((ROOT / "static").rglob("*"))
    if file.suffix in {".js", ".css", ".svg", ".webmanifest"} and "vendor" not in file.parts
]
LUA = sorted((ROOT / "models" / "redis" / "lua").rglob("*.lua"))
OWN = [
    *CODE, *TESTS, *PAGES, *SERVED, *sorted((ROOT / "sql").rglob("*.sql")),
    *LUA, *sorted((ROOT / "bench").rglob("*.py")),
]  # fmt: skip


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def text_of(files: list[Path]) -> str:
    return "\n".join(file.read_text() for file in files)
