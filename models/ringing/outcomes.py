"""How a ring ends: one row in `invite_outcomes`, the first insert wins, and everybody is told what it says.

Accept, decline, cancel, miss and gone race here and nowhere else. The insert carries its consequence (the
cooldown, or the
call with both live seats) in the same statement. A ring that ends by itself is leased to one process, and to
another when
that one dies: what was decided but not yet said is said then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Literal

import msgspec

from models.broadcasts import News
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
# After that, what a process has decided and not said is said by another.
SAID_WITHIN = timedelta(seconds=1)
Outcome = Literal["accepted", "declined", "cancelled", "missed", "gone"]
Part = Literal["caller_id", "callee_id"]


class Decided(msgspec.Struct, frozen=True):
    """The row: what a ring came to."""

    invite_id: str
    caller_id: str
    callee_id: str
    outcome: Outcome
    call_id: str | None
    agreed_seconds: int | None

    def for_second(self, command_id: str | None) -> Command:
        """What somebody hears who came second."""
        if self.outcome == "cancelled" or self.outcome == "missed" or self.outcome == "gone":
            return CallCancelled(id=command_id, invite_id=self.invite_id, reason=self.outcome)
        return CallAnswered(id=command_id, invite_id=self.invite_id, outcome=self.outcome)


class Accepted(msgspec.Struct, frozen=True):
    is_allowed: bool
    is_first: bool
    seats: int
    people: list[Profile]


class Begun(msgspec.Struct, frozen=True):
    """A call that has just been accepted, as its beginning is told."""

    ring: Ring
    call_id: str
    agreed_seconds: int
    people: dict[str, Person]


class InviteOutcomes:
    def __init__(self, db: Db, clock: Clock, config: Config, news: News, rings: Rings, users: Users) -> None:
        self._sql = db.statements("ringing.invites")
        self._clock, self._config, self._news = clock, config, news
        self._rings, self._users = rings, users
        # Decided here, and Redis has not taken it yet.
        self._untold: dict[str, Callable[[], Awaitable[None]]] = {}

    async def decide(self, invite_id: str, caller_id: str, callee_id: str, outcome: Outcome) -> bool:
        """Anything but accepted, with its cooldown. True when this was the first."""
        is_no = outcome == "declined"
        seconds = self._config.cooldown_declined_seconds if is_no else self._config.cooldown_missed_seconds
        rows = await self._sql.run(
            "decide",
            invite_id=invite_id,
            caller_id=caller_id,
            callee_id=callee_id,
            outcome=outcome,
            cooldown_seconds=seconds,
            now=self._clock.frozen,
        )
        return rows == 1

    async def accept(
        self, new: NewCall
    ) -> tuple[Literal["accepted", "taken", "impossible"], dict[str, Person]]:
        """What came of it, and both people as they may be seen. `taken`: somebody decided before.
        `impossible`: a block, a report, a ban, lost access or another call came between.
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
        people = {profile.user_id: profile.person for profile in accepted.people}
        return "accepted" if accepted.is_first else "taken", people

    async def mine(self, invite_id: str, user_id: str, part: Part) -> Ring | Decided:
        """The ring, or what it came to. NotFound for everyone whose part in it is another."""
        if not is_id(invite_id):
            raise NotFound("There is no such invite of yours.")
        found = await self._rings.find(invite_id) or await self.find(invite_id)
        if found is None or getattr(found, part) != user_id:
            raise NotFound("There is no such invite of yours.")
        return found

    async def told(self, invite_id: str, command_id: str | None) -> Command:
        """What was decided, for somebody who came second."""
        decided = await self.find(invite_id)
        if decided is None:
            raise NotFound("There is no such invite of yours.")
        return decided.for_second(command_id)

    async def find(self, invite_id: str) -> Decided | None:
        return await self._sql.one("outcome", Decided, invite_id=invite_id)

    async def settle(self, ring: Ring, say: Callable[[str | None], None], call_id: str = "") -> None:
        """Frees both, or hands them to the call, and says so; `say` gets the inviting socket if it is there.
        If Redis is away, the sockets of this process hear it at once, and the rest is repeated until done.
        """

        async def settle_now() -> None:
            ids = (ring.invite_id, ring.caller_id, ring.callee_id)
            say(await self._rings.release(*ids, self._clock.now_ms(), call_id, ring.socket))

        try:
            await settle_now()
        except Unavailable:
            self._untold[ring.invite_id] = settle_now
            say(ring.socket or None)

    async def _settle_again(self) -> None:
        """Raises Unavailable, and forgets nothing then."""
        for invite_id, settle_now in list(self._untold.items()):
            await settle_now()
            self._untold.pop(invite_id, None)

    async def fall_away(self, ring: Ring, socket_id: str, command_id: str | None) -> Command:
        """The call is not possible any more: the ring ends as gone, for both."""
        if not await self.decide(ring.invite_id, ring.caller_id, ring.callee_id, "gone"):
            return await self.told(ring.invite_id, command_id)
        told = CallCancelled(invite_id=ring.invite_id, reason="gone")

        def say(_inviting: str | None) -> None:
            self._news.to_user(ring.caller_id, told)
            self._news.to_user_but(ring.callee_id, socket_id, told)

        await self.settle(ring, say)
        return msgspec.structs.replace(told, id=command_id)

    async def start(self, begun: Begun, socket_id: str | None, command_id: str | None) -> CallStart:
        """The inviting and the answering socket hear call:start, the other tabs of both call:answered."""
        ring = begun.ring
        answered = CallAnswered(invite_id=ring.invite_id, outcome="accepted")
        for_caller = self._start_for(begun, "caller", begun.people[ring.callee_id])
        for_callee = self._start_for(begun, "callee", begun.people[ring.caller_id])

        def say(inviting: str | None) -> None:
            others = answered if inviting else None
            self._news.to_user(ring.caller_id, for_caller, only=inviting, others=others)
            if socket_id is None:
                self._news.to_user(ring.callee_id, for_callee)
            else:
                self._news.to_user_but(ring.callee_id, socket_id, answered)

        await self.settle(ring, say, begun.call_id)
        return msgspec.structs.replace(for_callee, id=command_id)

    def _start_for(self, begun: Begun, side: Literal["caller", "callee"], peer: Person) -> CallStart:
        return CallStart(
            call_id=begun.call_id,
            agreed_seconds=begun.agreed_seconds,
            polite=is_polite(begun.call_id, side),
            peer_user=peer,
            server_now=self._clock.now_ms(),
        )

    async def break_off(self, ring: Ring, by_id: str | None = None) -> None:
        """Ends a ring for both; decided before: nothing is said.

        As if this one of the two had declined or cancelled it (a block, a report: the other cannot tell);
        without one as gone (a ban, a deletion).
        """
        outcome: Outcome = "gone" if by_id is None else "declined" if by_id == ring.callee_id else "cancelled"
        if await self.decide(ring.invite_id, ring.caller_id, ring.callee_id, outcome):
            await self.settle(ring, lambda _inviting: self._tell_ended(ring, outcome))

    # -- what ends by itself --

    async def sweep(self) -> None:
        """Rings that ran out, and rings whose caller has had no socket for five seconds."""
        await self._settle_again()
        await self._look_for_decided()
        for due in await self._rings.due(self._clock.now_ms(), LEASE_MS):
            await self._end(due)

    async def _look_for_decided(self) -> None:
        """Decided rings that ring on: their process has died, or Redis was away for it. They are due now."""
        ringing = await self._rings.ringing()
        before = self._clock.now() - SAID_WITHIN
        if ringing and (ids := await self._sql.all("decided_among", str, invite_ids=ringing, before=before)):
            await self._rings.hasten(ids, self._clock.now_ms())

    async def _end(self, due: Due) -> None:
        outcome: Literal["missed", "gone"] = "missed" if due.outcome == "missed" else "gone"
        if not await self.decide(due.invite_id, due.caller_id, due.callee_id, outcome):
            await self._say_for_another(due)
            return
        ring = Ring(due.invite_id, due.caller_id, due.callee_id, 0, self._clock.now(), "")
        await self.settle(ring, lambda _inviting: self._tell_ended(ring, outcome))

    async def _say_for_another(self, due: Due) -> None:
        """A process decided this ring and died before it said so: say it now."""
        decided, ring = await self.find(due.invite_id), await self._rings.find(due.invite_id)
        if decided is None or ring is None:
            return
        if decided.call_id is not None:
            people = await self._users.people([ring.caller_id, ring.callee_id])
            await self.start(Begun(ring, decided.call_id, decided.agreed_seconds or 0, people), None, None)
            return
        await self.settle(ring, lambda _inviting: self._tell_ended(ring, decided.outcome))

    def _tell_ended(self, ring: Ring, outcome: Outcome) -> None:
        """What both hear of a ring that ended without either of them asking."""
        if outcome == "missed" or outcome == "declined":
            self._news.to_user(ring.caller_id, CallDeclined(invite_id=ring.invite_id, reason=outcome))
        elif outcome != "accepted":
            self._news.to_user(ring.caller_id, CallCancelled(invite_id=ring.invite_id, reason=outcome))
        if outcome == "accepted" or outcome == "declined":
            self._news.to_user(ring.callee_id, CallAnswered(invite_id=ring.invite_id, outcome=outcome))
        else:
            self._news.to_user(ring.callee_id, CallCancelled(invite_id=ring.invite_id, reason=outcome))
