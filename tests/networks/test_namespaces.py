"""Namespaces end with their test, also with one that fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.networks.namespaces import Namespace


def fail_after(holders: list[str]) -> None:
    with Namespace() as one, Namespace(one) as other:
        holders += [one.pid, other.pid]
        one.connect("near", other, "far")
        assert "near" in one.run("ip", "link")
        assert "far" in other.run("ip", "link")
        raise ZeroDivisionError


def test_they_are_connected_and_removed() -> None:
    holders: list[str] = []
    with pytest.raises(ZeroDivisionError):
        fail_after(holders)
    assert not any(Path("/proc", pid).exists() for pid in holders)
    assert not {"near", "far"} & {link.name for link in Path("/sys/class/net").iterdir()}
