"""Business events: a line in the log and a call of each listener, without anything about a person."""

from __future__ import annotations

import logging

import pytest

from models import business_events
from models.business_events import BusinessEvent, on_event, record
from models.calls.calls import record_media
from models.messages import RtcConnected


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[BusinessEvent]:
    monkeypatch.setattr(business_events, "_listeners", [])
    events: list[BusinessEvent] = []
    on_event(events.append)
    return events


def test_an_event_is_logged_and_heard(heard: list[BusinessEvent], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "napalmsky.events")
    record("ring", "accepted", 1.23456)
    assert heard == [BusinessEvent("ring", "accepted", 1.23456)]
    (line,) = caplog.records
    assert (vars(line)["event"], vars(line)["kind"], vars(line)["seconds"]) == ("ring", "accepted", 1.235)


def test_what_a_side_reports_about_its_connection(heard: list[BusinessEvent]) -> None:
    record_media(RtcConnected(path="relay", picture_ms=1500, restarts=2))
    record_media(RtcConnected())
    assert heard == [BusinessEvent("media", "relay", 1.5), *[BusinessEvent("ice_restart")] * 2]
