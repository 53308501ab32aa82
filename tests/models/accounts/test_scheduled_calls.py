"""The call on a schedule: due once for the whole site, its results passed on, and nothing left of it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from handlers.http import metrics
from models.accounts.scheduled_calls import CallResult, ScheduledCalls, results_of
from models.processes import robots_process
from models.settings.config import Config
from models.wiring import Models
from tests.conftest import MakeSite
from tests.support.scenes import rows


async def test_one_process_calls_and_nothing_is_left(make_site: MakeSite) -> None:
    site, other = await make_site(probe_minutes=5), await make_site(probe_minutes=5)
    heard: list[CallResult] = []
    site.models.scheduled_calls.on_result = heard.append
    assert await site.models.scheduled_calls.run() == heard
    assert [(one.kind, one.seconds is not None) for one in heard] == [("direct", True)]
    assert await other.models.scheduled_calls.run() == []
    assert await rows(site.models, "select count(*) from users") == [(0,)]


async def test_a_call_that_fails_is_a_result(models: Models, config: Config) -> None:
    away = replace(config, probe_minutes=5, base_url="http://localhost:59999")
    (result,) = await ScheduledCalls(away, models.bus, models.robots).run()
    assert (result.kind, result.seconds) == ("direct", None)
    assert "ConnectError" in result.fault


async def test_the_callers_trust_the_sites_certificates(
    models: Models, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a process that returns what it was given instead of calling."""
    told = "import json, os; print(json.dumps({'call': os.environ.get('SSL_CERT_FILE', 'nothing')}))"
    monkeypatch.setattr(robots_process, "COMMAND", [sys.executable, "-c", told])
    trusting = replace(config, probe_minutes=5, ssl_cert_file=Path("/etc/private.pem"))
    (result,) = await ScheduledCalls(trusting, models.bus, models.robots).run()
    assert result.fault == "/etc/private.pem"


async def test_without_the_setting_there_is_no_call(models: Models) -> None:
    assert await models.scheduled_calls.run() == []


URL = "turn:turn.example.org"


@pytest.mark.parametrize(
    ("relay_only", "result", "expected"),
    [
        (False, {"allocations": {}, "direct": {"seconds": 1.5}}, [CallResult("direct", 1.5)]),
        (
            False,
            {"allocations": {URL: "no answer"}, "direct": {"seconds": 1.5}},
            [CallResult("direct", 1.5), CallResult("relayed", None, f"{URL}: no answer")],
        ),
        (
            True,
            {"allocations": {URL: None}, "relayed": {URL: {"seconds": 2.0}}},
            [CallResult("relayed", 2.0)],
        ),
        (True, {"call": "no ring"}, [CallResult("relayed", None, "no ring")]),
    ],
)
def test_results(relay_only: bool, result: dict[str, object], expected: list[CallResult]) -> None:
    assert results_of(Config(relay_only=relay_only), result) == expected


def test_results_are_counted() -> None:
    def value(kind: str, result: str) -> float:
        labels = {"kind": kind, "result": result}
        return metrics.REGISTRY.get_sample_value("napalmsky_probe_calls_total", labels) or 0.0

    before = value("direct", "fine"), value("relayed", "failed")
    metrics.count_call(CallResult("direct", 1.0))
    metrics.count_call(CallResult("relayed", None, "x"))
    assert (value("direct", "fine"), value("relayed", "failed")) == (before[0] + 1, before[1] + 1)
