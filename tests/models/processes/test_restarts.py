"""Restarts of a server that dies: at once, then after growing pauses, until it has run for a while."""

from __future__ import annotations

import logging

import pytest

from models.processes.restarts import Restarts


class Dying:
    """A server whose life the test decides."""

    title, setting, restart_reason = "coturn", "TURN", ""

    def __init__(self) -> None:
        self.is_up, self.starts, self.told = True, 0, list[str]()

    def is_alive(self) -> bool:
        return self.is_up

    def start(self) -> None:
        self.starts += 1

    def refresh(self) -> None:
        pass

    def complaints(self) -> list[str]:
        return self.told


class Watch:
    """A server, its restarts and a clock."""

    def __init__(self) -> None:
        self.now, self.server = 100.0, Dying()
        self.restarts = Restarts(self.server, lambda: self.now)  # type: ignore[arg-type]

    def after(self, seconds: float) -> int:
        """How often it was started once this time has passed."""
        self.now += seconds
        self.restarts.look()
        return self.server.starts


def test_the_pauses_grow_and_begin_again_after_a_long_life() -> None:
    watch = Watch()
    watch.server.is_up = False
    assert watch.after(60) == 1  # It had run for a minute: at once.
    assert [watch.after(0.25), watch.after(0.5)] == [1, 2]
    assert [watch.after(0), watch.after(0.9), watch.after(0.2)] == [2, 2, 3]
    for _ in range(12):
        watch.after(0)
        watch.after(31)
    assert watch.server.starts == 15
    watch.server.is_up = True
    watch.after(0)
    watch.server.is_up = False
    assert watch.after(3600) == 16


def test_a_complaint_is_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    watch = Watch()
    watch.server.told = ["no certificate"]
    for seconds in (0, 10, 10, 60):
        watch.after(seconds)
    assert [one.getMessage() for one in caplog.records] == ["coturn: no certificate"] * 2
    assert {one.__dict__["setting"] for one in caplog.records} == {"TURN"}


def test_a_planned_restart_is_no_death(caplog: pytest.LogCaptureFixture) -> None:
    watch = Watch()
    watch.server.is_up, watch.server.restart_reason = False, "it has a certificate now"
    with caplog.at_level(logging.INFO):
        assert watch.after(1) == 1
    assert [one.levelname for one in caplog.records] == ["INFO"]
