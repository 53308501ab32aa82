"""The dashboard and the alerts: real Prometheus, real metrics of a scripted evening.

Every query of the dashboard returns data, every metric in them exists, and the rules pass promtool's tests.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from handlers.base.loop_lag import LoopLag
from models.console import site_figures
from tests.conftest import ROOT, MakePerson, MakeSite, Running
from tests.support.billing.fake_stripe import StripeStandIn
from tests.support.billing.payers import paid_twice
from tests.support.scenes import Two, ban
from tests.turn.coturn import free_port

DASHBOARD = json.loads((ROOT / "deploy/grafana/napalmsky.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
RULES = ROOT / "deploy/prometheus"
STEP_SECONDS, STEPS = 60, 10


def program(name: str) -> str:
    found = shutil.which(name)
    assert found is not None, f"{name} is missing: apt install prometheus"
    return found


def promtool(*arguments: str) -> str:
    done = subprocess.run([program("promtool"), *arguments], cwd=RULES, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_alerts_pass_their_tests() -> None:
    promtool("check", "config", "prometheus.yml")
    promtool("test", "rules", "alerts_test.yml")


def test_every_alert_is_tested_in_both_directions() -> None:
    alerts = re.findall(r"- alert: (\w+)", (RULES / "alerts.yml").read_text())
    cases = (RULES / "alerts_test.yml").read_text()
    assert [name for name in alerts if f"alertname: {name}\n        exp_alerts" not in cases] == []
    quiet = {"FirstPictureSlow", "ServerSlow"}  # without data
    assert {name for name in alerts if f"alertname: {name}}}" not in cases} == quiet


@pytest.fixture
def site(io_loop, make_site: MakeSite, stripe: StripeStandIn) -> Running:
    return io_loop.run_sync(lambda: make_site(**stripe.settings))


async def exposition(site: Running) -> str:
    return (await site.client.get("/metrics")).text


async def evening(site: Running, person: MakePerson, stripe: StripeStandIn) -> None:
    """Something of everything that the dashboard shows."""
    payer, anna, ben = await person("Pia", access=None), await person("Anna"), await person("Ben")
    await paid_twice(site.models, stripe, payer)
    pair = Two(anna, ben, await site.invites(anna), await site.invites(ben))
    call_id = await pair.call()
    seats = [await site.relay(one, call_id) for one in (anna, ben)]
    for seat in seats:
        await seat.receive("call:state")
        seat.send("rtc:connected", path="relay", pictureMs=900, restarts=1)
    for seat in seats:
        await seat.receive("call:clock")
    seats[0].send("call:end")
    await seats[1].receive("call:end")
    met = {"userId": ben.user_id, "reason": "spam", "callId": call_id}
    assert (await site.client.send("POST", "/report", token=anna.token, json=met)).status == 201
    await ban(site.models, ben)
    await site.client.send("POST", "/auth/logout", json={}, headers={"Origin": "https://evil.example"})
    blocked = {"csp-report": {"effective-directive": "script-src", "blocked-uri": "inline"}}
    await site.client.send("POST", "/csp-report", json=blocked)


@pytest.mark.prove
async def test_every_panel_shows_real_metrics(
    site: Running,
    person: MakePerson,
    stripe: StripeStandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(site_figures, "FRESH_SECONDS", 0.0)
    await exposition(site)
    before = await exposition(site)
    lag = LoopLag(every_seconds=0.001)
    lag.start()
    await evening(site, person, stripe)
    lag.stop()
    after = await exposition(site)
    assert len(QUERIES) > 25
    with prometheus(tmp_path, [before] * 2 + [after] * (STEPS - 2)) as ask:
        empty = [query for query in QUERIES if not ask(filled(query))]
        assert empty == []
        assert ask("max(napalmsky_live_calls)")[0]["value"][1] == "0"
        assert not ask("napalmsky_no_such_metric")


def filled(query: str) -> str:
    """As Grafana fills it, for the whole evening."""
    return query.replace("$__rate_interval", f"{STEP_SECONDS * STEPS}s")


def numbered(expositions: list[str], since: int) -> str:
    """OpenMetrics text with instants: one exposition a step."""
    lines: dict[str, list[str]] = {}
    for step, text in enumerate(expositions):
        for family in text_string_to_metric_families(text):
            if not family.name.startswith(("napalmsky", "process")):
                continue
            head = f"# TYPE {family.name} {family.type}"
            for one in family.samples:
                if not one.name.endswith("_created"):
                    labels = ",".join(f'{name}="{value}"' for name, value in one.labels.items())
                    line = f"{one.name}{{{labels}}} {one.value} {since + step * STEP_SECONDS}"
                    lines.setdefault(head, []).append(line)
    return "\n".join(line for head, found in lines.items() for line in (head, *found)) + "\n# EOF\n"


class Prometheus:
    """`with Prometheus(…) as ask`: the answer to an instant query at the end of the evening."""

    def __init__(self, home: Path, expositions: list[str]) -> None:
        self._port, self._until = free_port(), int(time.time()) - 3600
        data = home / "input.txt"
        data.write_text(numbered(expositions, self._until - STEP_SECONDS * (STEPS - 1)))
        promtool("tsdb", "create-blocks-from", "openmetrics", str(data), str(home / "tsdb"))
        (home / "prometheus.yml").write_text("global: {}\n")
        self._command = [
            program("prometheus"), f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/tsdb",
            f"--web.listen-address=127.0.0.1:{self._port}", "--storage.tsdb.retention.time=10y",
        ]  # fmt: skip
        self._log = home / "log"

    def __enter__(self) -> Prometheus:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        while not self._is_ready():
            assert self._process.poll() is None, self._log.read_text()
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(60)

    def _get(self, path: str, **values: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self._port}{path}", params=values)

    def _is_ready(self) -> bool:
        try:
            return self._get("/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def __call__(self, query: str) -> list[dict[str, list[str]]]:
        answer = self._get("/api/v1/query", query=query, time=str(self._until)).json()
        assert answer["status"] == "success", (query, answer)
        return [one for one in answer["data"]["result"] if one["value"][1] != "NaN"]


prometheus = Prometheus
