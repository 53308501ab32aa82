"""External PostgreSQL and Redis over TCP, and one outage of them under a site in use.

The site is reached at `url` only, as its users do: through a proxy, or the image with its own Caddy.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Self

from tornado.httpclient import HTTPError

from models.postgres.migrations import migrate
from tests.machines.actors.actor import Actor
from tests.machines.faults.fault_proxy import Fault, FaultProxy
from tests.machines.faults.outages import HEAL_SECONDS, QUIET_SECONDS, Traffic
from tests.machines.servers import Pair
from tests.support.clients import Client
from tests.support.pace import within
from tests.support.scenes import until

OUTAGE_SECONDS = 3.0


class ExternalServers:
    """`settings` lead to both through `proxies`, which can fail."""

    def __init__(self, home: Path) -> None:
        self.pair = Pair(home)
        sockets = self.pair.postgres.server.place.sockets
        self.proxies = {
            "postgres": FaultProxy(str(sockets / ".s.PGSQL.5432")),
            "redis": FaultProxy(self.pair.redis_socket),
        }

    def __enter__(self) -> Self:
        self.pair.start()
        migrate(self.pair.database_url)
        for proxy in self.proxies.values():
            proxy.start()
        return self

    def __exit__(self, *_: object) -> None:
        for proxy in self.proxies.values():
            proxy.stop()
        self.pair.stop()

    @property
    def settings(self) -> dict[str, str]:
        return {
            "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{self.proxies['postgres'].port}/postgres",
            "REDIS_URL": f"redis://127.0.0.1:{self.proxies['redis'].port}",
        }

    def can_be_rung(self, actor: Actor) -> bool:
        with self.pair.keys() as keys:
            return actor.line.is_open and keys.zscore("ns:queue", actor.user_id) is not None


async def _answers(url: str) -> bool:
    """Whether the proxy listens, and has its certificate."""
    client = Client(url)
    try:
        return (await client.get("/healthz")).status == 200
    except (OSError, HTTPError):
        return False
    finally:
        client.close()


async def check_outage(url: str, servers: ExternalServers, name: str, kind: Fault) -> None:
    """It is visible as 503 only. Five seconds after it every page is 200, and one user rings the other: their
    sockets are the same, or the clients have opened new ones.
    """
    await until(lambda: _answers(url))
    anna = await Actor.sign_up(url)
    ben = await Actor.sign_up(url, await anna.pay())
    await asyncio.gather(anna.arrive(), ben.arrive())
    traffic = Traffic(ben)
    async with traffic.flowing():
        await until(lambda: len(traffic.answers) > 10)
        assert set(traffic.statuses()) == {200}
        began = time.monotonic()
        with servers.proxies[name].fault(kind):
            await until(lambda: time.monotonic() > began + OUTAGE_SECONDS, OUTAGE_SECONDS + 1)
        healed_at = time.monotonic()
        limit = within(HEAL_SECONDS)
        await until(lambda: traffic.is_served_since(healed_at), limit + QUIET_SECONDS)
        quiet_at = time.monotonic() - QUIET_SECONDS
        left = healed_at + limit + QUIET_SECONDS - time.monotonic()
        await until(lambda: servers.can_be_rung(anna) and servers.can_be_rung(ben), left)
        call_id = await ben.accept(await anna.ring(ben))
        await anna.line.hear("call:start", callId=call_id)
    assert 503 in traffic.statuses(began), "the fault did not bite"
    traffic.check()
    assert set(traffic.statuses(quiet_at)) == {200}
    await asyncio.gather(anna.leave(), ben.leave())
