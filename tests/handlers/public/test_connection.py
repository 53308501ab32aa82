"""GET /connection: what the site sees of a request, for the doctor's callers alone."""

from __future__ import annotations

from tests.conftest import MakePerson, Running


async def test_a_caller_of_the_doctor_learns_how_it_is_seen(site: Running) -> None:
    caller, _ = await site.models.robots.probes()
    answer = await site.client.get("/connection", token=caller.token)
    assert answer.status == 200
    assert answer.json["address"] == answer.json["peer"] == "127.0.0.1"
    assert (answer.json["isTrusted"], answer.json["isForwarded"]) == (False, False)
    assert answer.json["baseUrl"] == site.config.base_url


async def test_it_does_not_exist_for_members(site: Running, person: MakePerson) -> None:
    ann = await person("Ann")
    assert (await site.client.get("/connection", token=ann.token)).status == 404
    assert (await site.client.get("/connection")).status == 401
