"""The doctor's call: a real one between two callers of their own, of which nothing is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.profiles.decoded import Decoded
from robots import allocations
from robots.probe import probe
from tests.conftest import MakeSite, Running, jpeg
from tests.support.scenes import rows
from tests.turn.coturn import LOOPBACK, SECRET, Coturn, Tls

TABLES = "select tablename from pg_tables where schemaname = 'public' and tablename <> 'secrets'"


async def counts(site: Running) -> dict[str, int]:
    """How many rows every table has."""
    tables = [name for (name,) in await rows(site.models, TABLES)]
    assert "calls" in tables
    return {name: (await rows(site.models, f"select count(*) from {name}"))[0][0] for name in tables}


async def callers(site: Running) -> dict[str, Any]:
    found = await site.models.robots.probes()
    for one in found:
        await site.models.selfies.keep(one.user_id, Decoded(jpeg()))
    return {
        "url": site.base_url,
        "tokens": [one.token for one in found],
        "user_ids": [one.user_id for one in found],
    }


async def test_a_call_without_turn_is_direct_and_leaves_no_row(site: Running) -> None:
    before = await counts(site)
    plan = await callers(site)
    result = await probe(plan)
    assert result["allocations"] == {}
    assert 0 < result["direct"]["seconds"] < 15
    assert "call" not in result
    await site.models.robots.remove_probes(plan["user_ids"])
    assert await counts(site) == before


async def test_a_call_through_turn_names_each_url(make_site: MakeSite, tmp_path: Path) -> None:
    with Coturn(tmp_path, LOOPBACK) as coturn:
        dead = "turn:127.0.0.1:9?transport=tcp"
        site = await make_site(turn_urls=(*coturn.urls, dead), turn_secret=SECRET)
        result = await probe(await callers(site))
    assert [bool(result["allocations"][url]) for url in (*coturn.urls, dead)] == [False, False, True]
    assert "reached" in result["allocations"][dead]
    assert set(result["relayed"]) == set(coturn.urls)
    assert all(found["seconds"] > 0 for found in result["relayed"].values())


@pytest.mark.parametrize("is_known", [True, False])
async def test_turn_over_tls(
    make_site: MakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    """A call through `turns:`; a certificate that browsers would reject is named."""
    tls = Tls(tmp_path)
    if is_known:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    url = f"turns:127.0.0.1:{tls.port}?transport=tcp"
    with Coturn(tmp_path, LOOPBACK, tls=tls):
        site = await make_site(turn_urls=(url,), turn_secret=SECRET)
        result = await probe(await callers(site))
    if is_known:
        assert result["relayed"][url]["seconds"] > 0
    else:
        assert "browsers will reject its certificate" in result["allocations"][url]


async def test_a_firewall_that_blocks_udp_is_named_and_tcp_relays(
    make_site: MakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allocations, "SECONDS", 0.5)
    with Coturn(tmp_path, LOOPBACK, options=("--no-udp",)) as coturn:
        site = await make_site(turn_urls=tuple(coturn.urls), turn_secret=SECRET)
        result = await probe(await callers(site))
    udp, tcp = coturn.urls
    assert result["allocations"][udp]
    assert list(result["relayed"]) == [tcp]


async def test_a_stun_server_that_is_silent_is_named_and_the_call_is_direct(
    make_site: MakeSite, tmp_path: Path
) -> None:
    with Coturn(tmp_path) as coturn:
        alive, silent = f"stun:127.0.0.1:{coturn.port}", "stun:127.0.0.1:9"
        site = await make_site(stun_urls=(silent, alive))
        result = await probe(await callers(site))
    assert result["stun"] == {silent: allocations.NO_ANSWER, alive: None}
    assert result["direct"]["seconds"] > 0


async def test_a_server_with_an_ipv6_address_is_asked(make_site: MakeSite) -> None:
    url = "turn:[::1]:9?transport=tcp"
    site = await make_site(turn_urls=(url,), turn_secret=SECRET)
    result = await probe(await callers(site))
    assert "reached" in result["allocations"][url]
    assert result["direct"]["seconds"] > 0


async def test_a_wrong_turn_secret_is_named(make_site: MakeSite, tmp_path: Path) -> None:
    with Coturn(tmp_path, secret="another-secret-of-this-coturn") as coturn:
        site = await make_site(turn_urls=tuple(coturn.urls), turn_secret=SECRET)
        result = await probe(await callers(site))
    assert all("TURN_SECRET" in fault for fault in result["allocations"].values())
    assert result["relayed"] == {}


async def test_a_caller_who_cannot_ring_is_a_failed_call(site: Running) -> None:
    plan = await callers(site)
    await rows(site.models, "delete from access_grants where user_id = %s", plan["user_ids"][1])
    assert "could not join the room (payment_required)" in (await probe(plan))["call"]
