"""Findings of a check of the environment: texts that begin with the setting and show no value."""

from __future__ import annotations

from typing import NamedTuple, Self


class Findings(NamedTuple):
    """`refused`: the site cannot work. `to_mend`: it starts, but will fail later. `notes`: for
    information.
    """

    refused: tuple[str, ...] = ()
    to_mend: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def with_(self, other: Findings) -> Self:
        return type(self)(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))
