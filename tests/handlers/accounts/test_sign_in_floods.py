"""Floods of sign-ins with real bcrypt: other addresses wait for a few hashes, and staff for none."""

from __future__ import annotations

import asyncio
import time

from models.settings.environment import read_config
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.pace import within
from tests.support.people.account_holders import OTHER_PASSWORD, holder, login
from tests.support.people.staff import PASSWORD as STAFF_PASSWORD
from tests.support.people.staff import enrolled
from tests.support.scenes import until

ADDRESSES = 3
PROXY = read_config({"TRUSTED_PROXIES": "127.0.0.1,::1"}).trusted_proxies


class Flood:
    """More concurrent sign-ins of unknown accounts than allowed for an address, and the number answered."""

    def __init__(self, site: Running) -> None:
        self.answered = 0
        self._site = site
        self._tasks = [
            asyncio.ensure_future(self._one(f"n{n}@example.com", f"203.0.113.{address}"))
            for address in range(ADDRESSES)
            for n in range(20)
        ]

    async def _one(self, email: str, address: str) -> int:
        answer = await login(self._site, email, OTHER_PASSWORD, X_Forwarded_For=address)
        self.answered += answer.status == 401
        return answer.status

    async def begun(self) -> None:
        """Waits until hashes are queued."""
        await until(lambda: len(self._site.models.passwords._queue._waiting) == ADDRESSES, 20)

    async def over(self) -> list[int]:
        return await asyncio.gather(*self._tasks)


async def slow_site(make_site: MakeSite) -> Running:
    """A site where hashes take long enough for others to wait."""
    return await make_site(trusted_proxies=PROXY, bcrypt_cost=9)


async def test_three_addresses_do_not_starve_another(
    site: Running, make_site: MakeSite, person: MakePerson
) -> None:
    await holder(site, person)
    slow = await slow_site(make_site)
    flood = Flood(slow)
    await flood.begun()
    before = flood.answered
    answer = await login(slow, "ann@example.com", X_Forwarded_For="198.51.100.9")
    assert answer.status == 200
    # One running, one of each address, and as many at the configured cost, but not the 48 that wait.
    assert flood.answered - before <= 2 * (ADDRESSES + 1) + 2
    assert set(await flood.over()) <= {401, 429, 503}


async def test_staff_do_not_wait_for_members(site: Running, make_site: MakeSite) -> None:
    slow = await slow_site(make_site)
    worker, _ = await enrolled(slow.models, "Mia")
    flood = Flood(slow)
    await flood.begun()
    before = flood.answered
    assert await slow.models.staff_sign_in.first(worker.name, STAFF_PASSWORD, "198.51.100.9")
    assert flood.answered - before <= 4
    await flood.over()


async def test_pages_are_served_during_a_flood(make_site: MakeSite) -> None:
    slow = await slow_site(make_site)
    flood = Flood(slow)
    await flood.begun()
    waits = []
    for _ in range(20):
        began = time.monotonic()
        assert (await slow.client.get("/healthz")).status == 200
        waits.append(time.monotonic() - began)
    assert sorted(waits)[len(waits) // 2] < within(0.25)
    await flood.over()
