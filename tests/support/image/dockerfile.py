"""The instructions of our Dockerfile, and its build in a directory with a Debian system."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Instruction:
    name: str
    text: str

    @property
    def pairs(self) -> dict[str, str]:
        """`KEY=value` of ENV, ARG and LABEL."""
        return dict(word.split("=", 1) for word in shlex.split(self.text) if "=" in word)

    @property
    def words(self) -> list[str]:
        """The JSON form of ENTRYPOINT."""
        found: list[str] = json.loads(self.text)
        return found


def instructions(text: str) -> list[Instruction]:
    """Comments are left out, continued lines are joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\s*\\\n\s*", " ", "\n".join(lines))
    return [Instruction(*line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def ours() -> list[Instruction]:
    return instructions((ROOT / "Dockerfile").read_text())


def environment(steps: list[Instruction]) -> dict[str, str]:
    """All of ENV."""
    return {name: value for one in steps if one.name == "ENV" for name, value in one.pairs.items()}


def ignored() -> list[str]:
    return [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] not in ("", "#")]


def is_copied(path: str) -> bool:
    """Whether .dockerignore leaves this file of the checkout in the build; its rules are `*` and `!name`."""
    assert ignored()[0] == "*"
    names = {rule[1:] for rule in ignored() if rule.startswith("!")}
    parents = {str(one) for one in (Path(path), *Path(path).parents)}
    return bool(names & parents) and "__pycache__" not in Path(path).parts
