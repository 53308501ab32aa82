"""Recovery when PostgreSQL had forgotten this process.

The others declared it dead during its outage, or the database was emptied, or an older backup was restored.
"""

from __future__ import annotations

from tests.conftest import MakePerson, MakeSite, Running
from tests.support.scenes import InCall, in_call, rounds, rows, silent, two

UNKNOWN = "delete from processes"
SEATS = "select caller_seat, callee_seat, caller_back_by, callee_back_by from calls where call_id = %s"


async def test_a_process_that_was_declared_dead_gets_its_seats_back(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    far = await make_site()
    scene = await in_call(site, person, far)
    await rounds(far, 1)
    (before,) = await rows(site.models, SEATS, scene.call_id)
    await silent(site.models, far.models.bus.process_id, 7)
    await rounds(site, 1)
    await scene.a.receive("peer:left")
    await rounds(far, 1)
    await scene.a.receive("peer:joined")
    assert await rows(site.models, SEATS, scene.call_id) == [before]
    assert (await scene.b.receive("call:state"))["state"] == "running"
    # Neither side has to negotiate again: signalling is relayed as before.
    scene.a.send("rtc:offer", sdp="v=0", attempt=2)
    await scene.b.receive("rtc:offer")


async def test_a_call_that_an_older_backup_shows_unconnected_is_connected_again(
    site: Running, person: MakePerson
) -> None:
    scene = await in_call(site, person, connected=False)
    await rounds(site, 1)
    backup = await rows(site.models, "select * from calls where call_id = %s", scene.call_id)
    await scene.connect()
    await restore(site, scene, backup[0])
    await rounds(site, 1)
    for seat in (scene.a, scene.b):
        assert (await seat.receive("call:state"))["state"] == "connecting"
        seat.send("rtc:connected")
    for seat in (scene.a, scene.b):
        await seat.receive("call:clock", state="running")


async def restore(site: Running, scene: InCall, row: tuple[object, ...]) -> None:
    """Puts the row back, and forgets the process as an old backup would."""
    await rows(site.models, "delete from live_seats where call_id = %s", scene.call_id)
    await rows(site.models, "delete from calls where call_id = %s", scene.call_id)
    marks = ", ".join(["%s"] * len(row))
    await rows(site.models, f"insert into calls values ({marks})", *row)
    people = (scene.people.anna.user_id, scene.people.ben.user_id)
    for user_id in people:
        await rows(site.models, "insert into live_seats values (%s, %s)", user_id, scene.call_id)
    await rows(site.models, UNKNOWN)


async def test_a_call_missing_from_the_backup_is_over_and_keeps_no_user_busy(
    site: Running, person: MakePerson
) -> None:
    scene = await in_call(site, person)
    for socket in (scene.people.a, scene.people.b):
        await socket.receive("state")  # The state sent at its opening.
    await rounds(site, 1)
    for sql in ("delete from live_seats", "delete from calls", UNKNOWN):
        await rows(site.models, sql)
    await rounds(site, 1)
    for seat in (scene.a, scene.b):
        assert await seat.closed() == 4404
    for socket in (scene.people.a, scene.people.b):
        told = await socket.receive("state", call=None)
        assert told["invite"] is None
    assert await scene.people.call()


async def test_a_user_missing_from_the_backup_is_signed_out(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    await rounds(site, 1)
    await rows(site.models, "delete from sessions where session_id = %s", pair.anna.session_id)
    await rows(site.models, UNKNOWN)
    await rounds(site, 1)
    assert await pair.a.closed() == 4401
    await pair.b.receive("state", available=True)
    assert pair.b.connection.close_code is None
