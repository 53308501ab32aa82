"""Browsers have the machine for themselves: docs/decisions/development/two-at-a-time.md."""

from __future__ import annotations

import os

import pytest


def test_no_two_workers_of_a_run_hold_browsers(request: pytest.FixtureRequest) -> None:
    """pytest-xdist keeps a group on one worker by the end of its tests' names, if pytest lets it."""
    is_shared_run = "PYTEST_XDIST_WORKER" in os.environ
    assert request.node.nodeid.endswith("@browsers") == is_shared_run
