"""Outcomes of rings: one row in `invite_outcomes`; the first insert wins, and both users are notified.

Accept, decline, cancel, miss and gone compete only here. The insert carries its consequence in the same
statement: the cooldown, or the call with both live seats. An expired ring is leased to one process; if that
process dies, another takes over and publishes what was decided but not published.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Literal

import msgspec

from models.broadcasts import Broadcasts
from models.business_events import record
from models.calls.call import NewCall, is_polite
from models.clock import Clock
from models.errors import NotFound, Unavailable
from models.ids import is_id
from models.messages import CallAnswered, CallCancelled, CallDeclined, CallStart, Command, Person
from models.postgres.database import Db, UniqueViolation
from models.profiles.users import Profile, Users
from models.ringing.rings import Due, Ring, Rings
from models.settings.config import Config

LEASE_MS = 5_000
# After this, an outcome that was decided but not published is published by another process.
PUBLISHED_WITHIN = timedelta(seconds=1)
InviteOutcome = Literal["accepted", "declined", "cancelled", "missed", "gone"]
SideColumn = Literal["caller_id", "callee_id"]


class Decided(msgspec.Struct, frozen=True):
    """One row of `invite_outcomes`."""

    invite_id: str
    caller_id: str
    callee_id: str
    outcome: InviteOutcome
    call_id: str | None
    agreed_seconds: int | None

    def late_answer(self, command_id: str | None) -> Command:
        """The answer to a command that came after the decision."""
        if self.outcome == "cancelled" or self.outcome == "missed" or self.outcome == "gone":
            return CallCancelled(id=command_id, invite_id=self.invite_id, reason=self.outcome)
        return CallAnswered(id=command_id, invite_id=self.invite_id, outcome=self.outcome)


class Accepted(msgspec.Struct, frozen=True):
    is_allowed: bool
    is_first: bool
    seats: int
    people: list[Profile]


class StartedCall(msgspec.Struct, frozen=True):
    """A call that has just been accepted, with what `call:start` needs."""

    ring: Ring
    call_id: str
    agreed_seconds: int
    people: dict[str, Person]


class InviteOutcomes:
    def __init__(
        self, db: Db, clock: Clock, config: Config, broadcasts: Broadcasts, rings: Rings, users: Users
    ) -> None:
        self._sql = db.statements("ringing.invites")
        self._clock, self._config, self._broadcasts = clock, config, broadcasts
        self._rings, self._users = rings, users
        # Decided here, but not yet released in Redis.
        self._unreleased: dict[str, Callable[[], Awaitable[None]]] = {}

    async def decide(self, invite_id: str, caller_id: str, callee_id: str, outcome: InviteOutcome) -> bool:
        """Writes an outcome other than accepted, with its cooldown. True if it was the first."""
        seconds = self._config.cooldown_missed_seconds
        if outcome == "declined":
            seconds = self._config.cooldown_declined_seconds
        ring: dict[str, Any] = {"invite_id": invite_id, "caller_id": caller_id, "callee_id": callee_id}
        values = ring | {"outcome": outcome, "cooldown_seconds": seconds, "now": self._clock.frozen}
        rows = await self._sql.run("decide", **values)
        if rows == 1:
            record("ring", outcome)
        return rows == 1

    async def accept(
        self, new: NewCall
    ) -> tuple[Literal["accepted", "taken", "impossible"], dict[str, Person]]:
        """The result, and both users by id. `taken`: the ring was decided before. `impossible`: a block, a
        report, a ban, lost access or another call prevents it.
        """
        try:
            accepted = await self._sql.one("accept", Accepted, **new.as_values())
        except UniqueViolation as violation:
            if violation.constraint != "live_seats_pkey":
                raise
            return "impossible", {}
        assert accepted is not None
        if not accepted.is_allowed:
            return "impossible", {}
        if accepted.is_first:
            record("ring", "accepted")
        people = {profile.user_id: profile.person for profile in accepted.people}
        return "accepted" if accepted.is_first else "taken", people

    async def get_own(self, invite_id: str, user_id: str, part: SideColumn) -> Ring | Decided:
        """The ring or its outcome, if the user has this part in it. Raises: NotFound."""
        if not is_id(invite_id):
            raise NotFound("There is no such invite of yours.")
        found = await self._rings.find(invite_id) or await self.find(invite_id)
        if found is None or getattr(found, part) != user_id:
            raise NotFound("There is no such invite of yours.")
        return found

    async def late_answer(self, invite_id: str, command_id: str | None) -> Command:
        """The answer to a command that came after the decision. Raises: NotFound."""
        decided = await self.find(invite_id)
        if decided is None:
            raise NotFound("There is no such invite of yours.")
        return decided.late_answer(command_id)

    async def find(self, invite_id: str) -> Decided | None:
        return await self._sql.one("outcome", Decided, invite_id=invite_id)

    async def settle(self, ring: Ring, notify_both: Callable[[str | None], None], call_id: str = "") -> None:
        """Releases the ring: both users are free or in the call. Then calls `notify_both` with the id of the
        inviting socket, or None if that is closed. If Redis is down, the sockets of this process are notified
        at once, and the release is repeated until it succeeds.
        """

        async def settle_now() -> None:
            ids = (ring.invite_id, ring.caller_id, ring.callee_id)
            notify_both(await self._rings.release(*ids, self._clock.now_ms(), call_id, ring.socket))

        try:
            await settle_now()
        except Unavailable:
            self._unreleased[ring.invite_id] = settle_now
            notify_both(ring.socket or None)

    async def _settle_again(self) -> None:
        """Repeats the releases that failed. Raises: Unavailable; the remaining ones are kept."""
        for invite_id, settle_now in list(self._unreleased.items()):
            await settle_now()
            self._unreleased.pop(invite_id, None)

    async def end_as_gone(self, ring: Ring, socket_id: str, command_id: str | None) -> Command:
        """Ends the ring as gone for both, because the call is no longer possible."""
        if not await self.decide(ring.invite_id, ring.caller_id, ring.callee_id, "gone"):
            return await self.late_answer(ring.invite_id, command_id)
        message = CallCancelled(invite_id=ring.invite_id, reason="gone")

        def notify_both(_inviting: str | None) -> None:
            self._broadcasts.to_user(ring.caller_id, message)
            self._broadcasts.to_user_except(ring.callee_id, socket_id, message)

        await self.settle(ring, notify_both)
        return msgspec.structs.replace(message, id=command_id)

    async def start(self, started: StartedCall, socket_id: str | None, command_id: str | None) -> CallStart:
        """Sends call:start to the inviting and the answering socket, call:answered to the other tabs."""
        ring = started.ring
        answered = CallAnswered(invite_id=ring.invite_id, outcome="accepted")
        for_caller = self._start_for(started, "caller", started.people[ring.callee_id])
        for_callee = self._start_for(started, "callee", started.people[ring.caller_id])

        def notify_both(inviting: str | None) -> None:
            others = answered if inviting else None
            self._broadcasts.to_user(ring.caller_id, for_caller, only=inviting, others=others)
            if socket_id is None:
                self._broadcasts.to_user(ring.callee_id, for_callee)
            else:
                self._broadcasts.to_user_except(ring.callee_id, socket_id, answered)

        await self.settle(ring, notify_both, started.call_id)
        return msgspec.structs.replace(for_callee, id=command_id)

    def _start_for(self, started: StartedCall, side: Literal["caller", "callee"], peer: Person) -> CallStart:
        return CallStart(
            call_id=started.call_id,
            agreed_seconds=started.agreed_seconds,
            polite=is_polite(started.call_id, side),
            peer_user=peer,
            server_now=self._clock.now_ms(),
        )

    async def interrupt(self, ring: Ring, by_id: str | None = None) -> None:
        """Ends a ring for both users, unless it is already decided.

        With `by_id` (a block, a report), it looks as if that user had declined or cancelled. Without it (a
        ban, a deletion), the outcome is gone.
        """
        outcome: InviteOutcome = (
            "gone" if by_id is None else "declined" if by_id == ring.callee_id else "cancelled"
        )
        if await self.decide(ring.invite_id, ring.caller_id, ring.callee_id, outcome):
            await self.settle(ring, lambda _inviting: self._publish_end(ring, outcome))

    # -- rings that end automatically --

    async def sweep(self) -> None:
        """Ends rings that have expired, and rings whose caller has had no socket for five seconds."""
        await self._settle_again()
        await self._look_for_decided()
        for due in await self._rings.due(self._clock.now_ms(), LEASE_MS):
            await self._end(due)

    async def _look_for_decided(self) -> None:
        """Makes decided rings due that are still in Redis: their process died, or Redis was down."""
        ringing = await self._rings.ringing()
        before = self._clock.now() - PUBLISHED_WITHIN
        if ringing and (ids := await self._sql.all("decided_among", str, invite_ids=ringing, before=before)):
            await self._rings.hasten(ids, self._clock.now_ms())

    async def _end(self, due: Due) -> None:
        outcome: Literal["missed", "gone"] = "missed" if due.outcome == "missed" else "gone"
        if not await self.decide(due.invite_id, due.caller_id, due.callee_id, outcome):
            await self._publish_for_another(due)
            return
        ring = Ring(due.invite_id, due.caller_id, due.callee_id, 0, self._clock.now(), "")
        await self.settle(ring, lambda _inviting: self._publish_end(ring, outcome))

    async def _publish_for_another(self, due: Due) -> None:
        """Publishes an outcome that another process decided but did not publish before it died."""
        decided, ring = await self.find(due.invite_id), await self._rings.find(due.invite_id)
        if decided is None or ring is None:
            return
        if decided.call_id is not None:
            people = await self._users.people([ring.caller_id, ring.callee_id])
            await self.start(
                StartedCall(ring, decided.call_id, decided.agreed_seconds or 0, people), None, None
            )
            return
        await self.settle(ring, lambda _inviting: self._publish_end(ring, decided.outcome))

    def _publish_end(self, ring: Ring, outcome: InviteOutcome) -> None:
        """Notifies both users of a ring that was not ended by a command."""
        if outcome == "missed" or outcome == "declined":
            self._broadcasts.to_user(ring.caller_id, CallDeclined(invite_id=ring.invite_id, reason=outcome))
        elif outcome != "accepted":
            self._broadcasts.to_user(ring.caller_id, CallCancelled(invite_id=ring.invite_id, reason=outcome))
        if outcome == "accepted" or outcome == "declined":
            self._broadcasts.to_user(ring.callee_id, CallAnswered(invite_id=ring.invite_id, outcome=outcome))
        else:
            self._broadcasts.to_user(ring.callee_id, CallCancelled(invite_id=ring.invite_id, reason=outcome))
