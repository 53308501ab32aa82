"""Every key of Redis expires, except the few that `models.redis.keys` lists."""

from __future__ import annotations

from models.redis import keys
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.scenes import goodbye, in_call, rounds, two, until

LASTING = {
    keys.PROCESSES, keys.QUEUE, keys.SHOWN, keys.CAME, keys.ONLINE, keys.AWAY_DUE, keys.INVITES_DUE,
    keys.INVITES_GONE,
}  # fmt: skip


async def without_ttl(site: Running) -> set[str]:
    """The names of keys without a TTL."""
    names = [name.decode() for name in await site.models.bus.command("keys", "*")]
    assert all(name.startswith((keys.PREFIX, "LIMITS")) for name in names), names
    return {name for name in names if await site.models.bus.command("ttl", name) == -1}


async def test_every_key_expires(make_site: MakeSite, site: Running, person: MakePerson) -> None:
    far = await make_site()
    rung = await two(site, person, far)
    invite_id = await rung.ring()
    tab = await site.invites(rung.anna, join=False)
    await tab.receive("state")
    rung.a.send("call:extend-wait", inviteId=invite_id, id="x")
    await rung.a.receive("call:wait-extended", id="x")
    assert await without_ttl(site) <= LASTING
    rung.a.send("call:cancel", inviteId=invite_id, id="c")
    await rung.a.receive("call:cancelled", id="c")
    scene = await in_call(site, person, far)
    assert (await site.client.get("/room/queue", token=rung.anna.token)).status == 200
    scene.b.close()
    await scene.a.receive("peer:left")
    scene.a.send("rtc:offer", sdp="for an empty seat")
    for one in (site, far):
        await rounds(one)
        await one.models.presence.register_all()
    assert await without_ttl(site) <= LASTING
    scene.a.send("call:end")
    await scene.a.receive("call:end")
    assert await without_ttl(site) <= LASTING


async def test_a_key_of_a_lingering_user_expires_too(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    """Their hash of sockets was deleted with the last socket, and is created again."""
    far = await make_site()
    pair = await two(site, person, far)
    pair.a.close()
    await until(lambda: only_lingers(site, pair.anna.user_id))
    await goodbye(far)
    await until(lambda: only_lingers(site, pair.ben.user_id))
    assert await without_ttl(site) <= LASTING


async def only_lingers(site: Running, user_id: str) -> bool:
    return await site.models.bus.command("hkeys", keys.sockets(user_id)) == [b"linger"]
