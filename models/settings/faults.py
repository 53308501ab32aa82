"""The faults of an environment, named by setting."""

from __future__ import annotations

import re

NAME = re.compile(r"[A-Z][A-Z0-9_]+")


class Faults(list[str]):
    """`SETTING what is wrong`, never with the value; only the first fault of each setting."""

    def add(self, name: str, what: str) -> None:
        if not any(fault.startswith(f"{name} ") for fault in self):
            self.append(f"{name} {what}")

    def concerns(self, text: str) -> bool:
        """Whether the text names a setting that has a fault: it then judges that setting's default."""
        return not {fault.split()[0] for fault in self}.isdisjoint(NAME.findall(text))
