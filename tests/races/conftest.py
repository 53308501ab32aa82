"""How often each race is run."""

from __future__ import annotations

import pytest


@pytest.fixture(params=[100, pytest.param(300, marks=pytest.mark.prove)])
def number_of_rounds(request: pytest.FixtureRequest) -> int:
    """A fault that one round in twenty shows is found by a hundred rounds, except once in 170 runs."""
    return int(request.param)
