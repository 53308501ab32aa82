"""The hub: who gets which event, on this process and on others, and recovery after lost events."""

from __future__ import annotations

from models.redis import keys
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.factories import end_sessions
from tests.support.scenes import advance, freeze, in_call, rounds, two, until


async def end_session(site: Running, session_id: str) -> None:
    await site.models.sessions.end(session_id, "signed_out")


async def test_signing_out_closes_every_socket_of_that_session_everywhere(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    far = await make_site()
    anna, ben = await person("Anna"), await person("Ben")
    mine = [await site.invites(anna), await far.invites(anna)]
    other = await far.invites(ben)
    answer = await site.client.post("/auth/logout", token=anna.token)
    assert answer.status == 204
    for socket in mine:
        assert (await socket.receive("session:ended"))["type"] == "session:ended"
        assert await socket.closed() == 4401
    assert "session:ended" not in await other.quiet()


async def test_signing_out_closes_a_seat_even_where_there_is_no_other_socket(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    far = await make_site()
    scene = await in_call(site, person)
    seat = await far.relay(scene.people.anna, scene.call_id)
    await seat.receive("call:state")
    await end_session(site, scene.people.anna.session_id)
    assert await seat.closed() == 4401
    await scene.b.receive("peer:left")


async def test_an_ended_session_whose_event_was_lost_is_found_by_the_sweep(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    far = await make_site()
    scene = await in_call(far, person)
    cleo = await person("Cleo")
    other = await far.invites(cleo)
    seats = [scene.people.a, scene.a]
    # As if Redis had been down: the row, and no event.
    await end_sessions(site.models, scene.people.anna)
    await rounds(far, 1)
    for socket in seats:
        assert await socket.closed() == 4401
    assert "session:ended" in [message["type"] for message in scene.people.a.inbox]
    assert "session:ended" not in await other.quiet()


async def test_a_seat_without_another_socket_is_found_by_the_sweep(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    scene.people.a.close()
    await until(lambda: scene.people.anna.user_id not in site.site.hub.invite_sockets)
    await end_sessions(site.models, scene.people.anna)
    await rounds(site, 1)
    assert await scene.a.closed() == 4401


async def test_the_rotated_token_keeps_its_socket_and_an_ended_one_cannot_act(
    site: Running, person: MakePerson
) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    socket = await site.invites(anna)
    await end_sessions(site.models, anna)
    socket.send("call:invite", toUserId=ben.user_id, requestedSeconds=300)
    assert await socket.closed() == 4401


async def test_a_lost_connection_to_redis_sends_everyone_their_state_again(
    site: Running, person: MakePerson
) -> None:
    pair = await two(site, person)
    await pair.a.receive("state")
    await pair.b.receive("state")
    await site.models.bus.command("client", "kill", "type", "pubsub")
    for socket in (pair.a, pair.b):
        assert (await socket.receive("state"))["available"]
    await pair.ring()


async def test_a_ring_that_was_missed_while_redis_was_down_is_in_the_new_state(
    site: Running, person: MakePerson
) -> None:
    pair = await two(site, person)
    invite_id = await pair.ring()
    await pair.b.receive("state")
    await site.models.bus.command("client", "kill", "type", "pubsub")
    shown = (await pair.b.receive("state"))["invite"]
    assert (shown["inviteId"], shown["direction"]) == (invite_id, "in")


async def test_nothing_is_kept_of_users_who_left(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    hub = site.site.hub
    await site.client.get("/room/queue", token=scene.people.anna.token)
    await scene.end()
    for socket in (scene.people.a, scene.people.b):
        socket.close()
    await until(lambda: not hub.invite_sockets and not hub.seats and not hub._subscribed and not hub._work)
    assert (hub.feed._viewers, hub.feed._watchers, hub.feed._sated) == ({}, {}, set())
    assert len(site.models.calls._known) == 0
    channels = await site.models.bus.command("pubsub", "channels", "ns:*")
    assert {channel.decode() for channel in channels} == {keys.CHANNEL_ALL, keys.CHANNEL_QUEUE}


async def test_the_time_limit_ends_a_call_on_every_process_exactly(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    far = await make_site()
    scene = await in_call(site, person, far, seconds=60, connected=False)
    freeze(site, far)
    await scene.connect()
    advance(59.999, site, far)
    await rounds(far)
    assert "call:end" not in await scene.a.quiet()
    advance(0.001, site, far)
    await rounds(far, 1)
    for socket in (scene.a, scene.b):
        assert await socket.receive("call:end") == {
            "type": "call:end",
            "reason": "expired",
            "connectedSeconds": 60,
        }
        assert await socket.closed() == 1000
