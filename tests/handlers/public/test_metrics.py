"""What /metrics and the log tell about business: the same as the database, and nothing about anyone."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from handlers.http.logs import JsonLines
from tests.conftest import MakePerson, Running
from tests.support.metric_samples import Growth, samples
from tests.support.scenes import Two


@contextmanager
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[dict[str, object]]]:
    found: list[dict[str, object]] = []
    with caplog.at_level(logging.INFO, "napalmsky.events"):
        yield found
    found += [json.loads(JsonLines().format(one)) for one in caplog.records if one.name == "napalmsky.events"]


async def test_a_ring_and_a_call_are_counted_once(
    site: Running, person: MakePerson, caplog: pytest.LogCaptureFixture
) -> None:
    before = await samples(site)
    with lines(caplog) as logged:
        anna, ben = await person("Anna"), await person("Ben")
        pair = Two(anna, ben, await site.invites(anna), await site.invites(ben))
        call_id = await pair.call()
        seats = [await site.relay(one, call_id) for one in (anna, ben)]
        site.models.clock.freeze(site.models.clock.now())
        site.models.clock.advance(seconds=2)
        for seat, path in zip(seats, ("direct", "relay"), strict=True):
            await seat.receive("call:state")
            seat.send("rtc:connected", path=path, pictureMs=1480, restarts=2)
        for seat in seats:
            await seat.receive("call:clock")
        site.models.clock.advance(seconds=40)
        seats[0].send("call:end")
        await seats[1].receive("call:end")
    growth = Growth(before, await samples(site))
    assert growth.of("sign_ups_total", kind="plain") == 2
    assert growth.of("rings_total", outcome="accepted") == 1
    assert growth.of("calls_total", reason="hung_up") == growth.of("successful_calls_total") == 1
    assert growth.of("call_setup_seconds_count") == 1
    assert 2 <= growth.of("call_setup_seconds_sum") < 10
    assert growth.of("first_picture_seconds_sum") == pytest.approx(2.96)
    assert growth.of("media_paths_total", path="direct") == growth.of("media_paths_total", path="relay") == 1
    assert growth.of("ice_restarts_total") == 4
    events = [line["event"] for line in logged]
    counts = {"sign_up": 2, "ring": 1, "call_connected": 1, "call_success": 1}
    assert {name: events.count(name) for name in counts} == counts
    told = json.dumps(logged)
    for secret in (anna.user_id, ben.user_id, call_id, "Anna", anna.token):
        assert secret not in told


@pytest.mark.parametrize(
    "fields", [{"path": "carrier pigeon"}, {"pictureMs": -1}, {"pictureMs": 1e9}, {"restarts": 21}]
)
async def test_a_client_cannot_report_anything_else(
    site: Running, person: MakePerson, fields: dict[str, object]
) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    pair = Two(anna, ben, await site.invites(anna), await site.invites(ben))
    seat = await site.relay(anna, await pair.call())
    before = await samples(site)
    seat.send("rtc:connected", **fields)
    assert (await seat.receive("error"))["code"] == "bad_request"
    growth = Growth(before, await samples(site))
    assert growth.of("media_paths_total", path="direct") == growth.of("ice_restarts_total") == 0


async def test_the_figures_of_the_site_are_those_of_the_servers(site: Running, person: MakePerson) -> None:
    anna, ben, cara = [await person(name) for name in ("Anna", "Ben", "Cara")]
    pair = Two(anna, ben, await site.invites(anna), await site.invites(ben))
    await site.invites(cara)
    await pair.call()
    told = await samples(site)
    assert told["napalmsky_online_users", ()] == 3
    assert told["napalmsky_queue_length", ()] == await site.models.bus.command("zcard", "ns:queue")
    assert told["napalmsky_live_calls", ()] == 1
    for server in ("database", "redis"):
        assert told["napalmsky_server_seconds_count", (("server", server),)] > 0


async def test_forged_events_of_payments_are_counted(site: Running) -> None:
    before = await samples(site)
    headers = {"Stripe-Signature": "t=1,v1=" + "0" * 64}
    assert (await site.client.send("POST", "/payment/webhook", json={}, headers=headers)).status == 400
    assert Growth(before, await samples(site)).of("webhooks_total", result="forged") == 1
