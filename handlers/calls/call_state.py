"""`call:state`: what a seat is shown when it opens or reloads."""

from __future__ import annotations

from models.calls.call import Call, other
from models.calls.snapshot import Snapshot
from models.calls.state import Side
from models.clock import Clock
from models.messages import CallStateMessage, instant


def call_state(call: Call, side: Side, view: Snapshot, clock: Clock) -> CallStateMessage:
    progress, far = call.progress, other(side)
    back_by = progress.caller_back_by if far == "caller" else progress.callee_back_by
    far_seat = progress.caller_seat if far == "caller" else progress.callee_seat
    return CallStateMessage(
        call_id=call.call_id,
        state=progress.clock,
        polite=call.is_polite(side),
        agreed_seconds=call.agreed_seconds,
        remaining_ms=progress.remaining_at(clock.now()),
        server_now=clock.now_ms(),
        peer_user=view.peer,
        peer_here=far_seat is not None,
        messages=view.messages,
        messages_url=f"/calls/{call.call_id}/messages" if view.has_more else None,
        connect_by=instant(progress.connect_by) if progress.state == "connecting" else None,
        reconnect_by=instant(back_by) if back_by else None,
    )
