"""Signing in elsewhere during a call: the call continues on the new device without an interruption for the
peer.
"""

from __future__ import annotations

from tests.conftest import MakePerson, Person, Running
from tests.support.people.account_holders import PASSWORD, holder, login


async def call_between(site: Running, caller: Person, callee: Person) -> str:
    inviting, answering = await site.invites(caller), await site.invites(callee)
    inviting.send("call:invite", id="call", toUserId=callee.user_id, requestedSeconds=300)
    ring = await answering.receive("call:notify")
    answering.send("call:accept", id="take", inviteId=ring["inviteId"], requestedSeconds=300)
    return str((await answering.receive("call:start"))["callId"])


async def test_a_live_call_continues_on_the_new_device(site: Running, person: MakePerson) -> None:
    ann, bo = await holder(site, person), await person("Bo")
    call_id = await call_between(site, ann.person, bo)
    left, peer = await site.relay(ann.person, call_id), await site.relay(bo, call_id)
    await peer.receive("call:state")
    token = (await login(site, "ann@example.com", PASSWORD)).json["sessionToken"]
    assert await left.closed() == 4401
    assert "call:end" not in [message["type"] for message in left.inbox]
    await peer.receive("peer:left")
    here = await site.socket("/ws/invites", token)
    assert (await here.receive("state"))["call"] == {"callId": call_id}
    seat = await site.socket(f"/ws/calls/{call_id}", token)
    assert (await seat.receive("call:state"))["peerHere"] is True
    await peer.receive("peer:joined")
    assert "call:end" not in await peer.quiet()


async def test_the_replaced_device_does_not_get_its_seat_back(site: Running, person: MakePerson) -> None:
    ann, bo = await holder(site, person), await person("Bo")
    call_id = await call_between(site, ann.person, bo)
    await login(site, "ann@example.com", PASSWORD)
    again = await site.relay(ann.person, call_id)
    assert await again.closed() == 4401
