"""Namespaces end with their test, also with one that fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.networks.namespaces import Namespace


def test_they_are_connected_and_removed() -> None:
    holders = []
    with pytest.raises(ZeroDivisionError), Namespace() as one, Namespace(one) as other:
        holders += [one.pid, other.pid]
        one.connect("near", other, "far")
        assert "near" in one.run("ip", "link")
        assert "far" in other.run("ip", "link")
        _ = 1 / 0
    assert not any(Path("/proc", pid).exists() for pid in holders)
    links = {link.name for link in Path("/sys/class/net").iterdir()}
    assert not {"near", "far"} & links
