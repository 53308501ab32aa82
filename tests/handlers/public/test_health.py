"""The endpoints for machines."""

from __future__ import annotations

from tests.conftest import Running


async def test_liveness_needs_no_server(site: Running) -> None:
    before = site.models.db.statements_run
    answer = await site.client.get("/healthz")
    assert (answer.status, answer.json) == (200, {"status": "ok"})
    assert site.models.db.statements_run == before


async def test_ready_with_each_check(site: Running) -> None:
    answer = await site.client.get("/readyz")
    checks = {"database": "ok", "schema": "ok", "redis": "ok", "stripe": "ok", "process": "ok"}
    assert (answer.status, answer.json) == (200, {"status": "ok", "checks": checks})


async def test_faults_for_the_operator_do_not_affect_readiness(site: Running) -> None:
    async with site.models.db.link() as link:
        await link.execute("insert into stripe_events values ('evt_1', 'x', 'wrong_livemode', now())")
    answer = await site.client.get("/readyz")
    assert (answer.status, answer.json["status"]) == (200, "ok")
    assert answer.json["checks"]["stripe"] == "livemode does not fit the key"


async def test_not_ready_behind_the_schema(site: Running) -> None:
    async with site.models.db.link() as link:
        await link.execute("alter table _yoyo_migration rename to elsewhere")
        try:
            answer = await site.client.get("/readyz")
        finally:
            await link.execute("alter table elsewhere rename to _yoyo_migration")
    assert (answer.status, answer.json["status"]) == (503, "unavailable")
    assert answer.json["checks"]["schema"] == "missing"


async def test_not_ready_while_draining(site: Running) -> None:
    site.site.requests.is_draining = True
    assert (await site.client.get("/readyz")).status == 503
    assert (await site.client.get("/healthz")).status == 200


async def test_metrics_count_requests_by_handler_name(site: Running) -> None:
    await site.client.get("/nobody-made-this-up")
    answer = await site.client.get("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert 'napalmsky_http_requests_total{handler="NotFoundHandler",method="GET",status="404"}' in answer.text
    assert 'napalmsky_sockets{kind="invites"} 0.0' in answer.text
    assert "nobody-made-this-up" not in answer.text
