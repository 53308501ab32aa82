"""`python -m bench.benchmarks.webhook [RUNS]`: the latency of genuine events during a flood of forged ones.

Genuine events are paid checkouts with everything that follows (event, grant, code: one transaction), sent at
a steady pace. The flood comes from a separate process: well-formed, with a signature of the right form made
with another secret.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Self, cast

import msgspec
import psycopg2
import uvloop

from bench.chart import Series, bars
from bench.client.users import sign_up
from bench.meter import Meter, median, percentile
from bench.report import Measured, figure, machine, measured, save, table
from bench.site_process import SiteUnderTest, site_under_test
from models.billing.provider.stripe_api import sign
from models.ids import new_id

KEY, SECRET = "sk_test_bench0123456789", "whsec_bench0123456789abcdef"
SETTINGS = {"STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRET": SECRET, "PRICE_CENTS": "50"}
CONNECTIONS = 16
TICK = 0.01


@dataclass(frozen=True)
class Plan:
    genuine: int = 100
    genuine_per_second: int = 10
    forged_per_second: tuple[int, ...] = (0, 1000)
    runs: int = 3


@dataclass(frozen=True)
class WebhookResult:
    """`forged` is the number requested, `refused` the number answered with 400, each per second."""

    forged: float
    refused: float
    p50_ms: float
    p99_ms: float
    server_core: float


class Poster(asyncio.Protocol):
    """One POST at a time; `post` returns the status."""

    @classmethod
    async def open(cls, port: int) -> Self:
        _, poster = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return poster

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    async def post(self, payload: bytes, signature: str) -> bytes:
        self._answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        head = (
            "POST /payment/webhook HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Stripe-Signature: {signature}\r\nContent-Length: {len(payload)}\r\n\r\n"
        )
        self._transport.write(head.encode() + payload)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        # An answer is small and arrives in one piece.
        if not self._answer.done():
            self._answer.set_result(data[9:12])

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._answer.done():
            self._answer.set_exception(ConnectionError("the server hung up"))

    def close(self) -> None:
        self._transport.close()


async def run_webhook(plan: Plan) -> list[Measured]:
    """The floods in turn, `runs` times over."""
    with site_under_test(None, **SETTINGS) as site:
        runs = [
            [await _measure(site, plan, forged) for forged in plan.forged_per_second]
            for _ in range(plan.runs)
        ]
    return [measured([run[at] for run in runs]) for at in range(len(plan.forged_per_second))]


async def _measure(site: SiteUnderTest, plan: Plan, forged: int) -> WebhookResult:
    events = paid_events(site.database_url, plan.genuine)
    seconds = plan.genuine / plan.genuine_per_second
    ours, theirs = multiprocessing.Pipe()
    flood = multiprocessing.get_context("spawn").Process(
        target=run_flood, args=(theirs, site.port, forged, seconds)
    )
    flood.start()
    await asyncio.to_thread(ours.recv)
    meter = Meter(site)
    meter.start()
    began = time.monotonic()
    times = await _send(site.port, events, plan.genuine_per_second)
    took, cost = time.monotonic() - began, meter.stop()
    refused = await asyncio.to_thread(ours.recv)
    flood.join()
    meter.close()
    core = cost.server_seconds / took
    return WebhookResult(forged, refused, median(times), percentile(times, 0.99), core)


async def _send(port: int, events: Sequence[bytes], per_second: int) -> list[float]:
    """Milliseconds from the due time of each request to its answer; each has its own connection."""
    began = time.monotonic()
    dues = [began + number / per_second for number in range(len(events))]
    return await asyncio.gather(*(_tell(port, *pair) for pair in zip(events, dues, strict=True)))


async def _tell(port: int, payload: bytes, due: float) -> float:
    await asyncio.sleep(max(0.0, due - time.monotonic()))
    poster = await Poster.open(port)
    status = await poster.post(payload, sign(payload, SECRET))
    assert status == b"200", status
    poster.close()
    return 1000 * (time.monotonic() - due)


def paid_events(database_url: str, count: int) -> list[bytes]:
    """`checkout.session.completed` events of checkouts that are open in the tables."""
    people = [one.user_id for one in sign_up(database_url, count)]
    attempts = [new_id() for _ in people]
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into checkouts "
            "(attempt_id, user_id, kind, amount_cents, currency, session_id, state, created_at) "
            "select a::uuid, u::uuid, 'test', 50, 'usd', 'cs_' || a, 'open', now() "
            "from unnest(%s, %s) as x (a, u)",
            (attempts, people),
        )
    connection.close()
    return [_event(attempt, user) for attempt, user in zip(attempts, people, strict=True)]


def _event(attempt_id: str, user_id: str) -> bytes:
    session = {
        "id": f"cs_{attempt_id}", "amount_total": 50, "currency": "usd", "client_reference_id": user_id,
        "metadata": {"user_id": user_id, "attempt_id": attempt_id}, "mode": "payment", "livemode": False,
        "status": "complete", "payment_status": "paid", "payment_intent": f"pi_{attempt_id}",
    }  # fmt: skip
    about = {"id": f"evt_{attempt_id}", "type": "checkout.session.completed", "livemode": False}
    return msgspec.json.encode(about | {"data": {"object": session}})


# -- the flood, in a process of its own --


def run_flood(told: Connection, port: int, per_second: int, seconds: float) -> None:
    """Reports when it has started, and at the end how many requests per second were rejected."""
    uvloop.run(_flood(told, port, per_second, seconds))


async def _flood(told: Connection, port: int, per_second: int, seconds: float) -> None:
    payload = _event(new_id(), new_id())
    posters = [await Poster.open(port) for _ in range(CONNECTIONS if per_second else 0)]
    told.send("begun")
    began = time.monotonic()
    refused = await asyncio.gather(
        *(_forge(poster, payload, per_second / CONNECTIONS, began + seconds) for poster in posters)
    )
    told.send(sum(refused) / (time.monotonic() - began) if refused else 0.0)


async def _forge(poster: Poster, payload: bytes, per_second: float, end: float) -> int:
    began, refused = time.monotonic(), 0
    while (now := time.monotonic()) < end:
        if refused / per_second > now - began:
            await asyncio.sleep(TICK)
            continue
        status = await poster.post(payload, sign(payload, "whsec_of_somebody_else"))
        assert status == b"400", status
        refused += 1
    poster.close()
    return refused


def main(runs: int) -> None:
    plan, on = Plan(runs=runs), machine()
    sizes = uvloop.run(run_webhook(plan))
    names = ("forged", "refused", "p50_ms", "p99_ms", "server_core")
    rows = [[figure(getattr(size.middle, name)) for name in names] for size in sizes]
    print(table(["forged/s", "refused/s", "p50 ms", "p99 ms", "server core"], rows))
    labels = [f"{size.middle.forged:,.0f} forged/s" for size in sizes]
    series = Series("median", [size.middle.p50_ms for size in sizes])
    picture = bars("Milliseconds to a genuine event's answer", labels, [series])
    save("webhook", on, plan, sizes, picture)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
