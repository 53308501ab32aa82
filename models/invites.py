"""Call invites: one person rings another for twenty seconds, and exactly one thing comes of it.

The ring itself lives in Redis (`models.ring`); how it ended is one row in PostgreSQL, `invite_outcomes`, and
the first insert wins: accept, decline,
cancel, miss and gone race there and nowhere else. Who loses is told what was decided. A command about an
invite that is
not yours is NotFound, and nobody hears of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from models.bus import Bus
from models.calls import Calls
from models.clock import Clock
from models.config import Config
from models.db import Db, UniqueViolation
from models.errors import Conflict, Invalid, NotFound
from models.ids import is_id, new_id
from models.members import Member, media_url
from models.messages import (
    CallAnswered,
    CallCancelled,
    CallDeclined,
    CallNotify,
    CallRinging,
    CallStart,
    CallWaitExtended,
    Command,
    Person,
    StateInvite,
    epoch_ms,
    instant,
)
from models.news import News
from models.ring import Due, Ring, Rings

LEASE_MS = 5_000
Outcome = Literal["accepted", "declined", "cancelled", "missed", "gone"]


class Between(msgspec.Struct, frozen=True):
    """What stands between two people, seen from the caller."""

    is_hidden: bool
    is_cooling: bool
    is_in_call: bool
    now: datetime


class Decided(msgspec.Struct, frozen=True):
    invite_id: str
    caller_id: str
    callee_id: str
    outcome: Outcome
    call_id: str | None


class Accepted(msgspec.Struct, frozen=True):
    is_allowed: bool
    is_first: bool
    seats: int


class PersonRow(msgspec.Struct, frozen=True):
    user_id: str
    name: str
    gender: str
    selfie_id: str | None


class Invites:
    def __init__(self, db: Db, bus: Bus, clock: Clock, config: Config, news: News, calls: Calls) -> None:
        self._sql = db.statements("invites")
        self._people = db.statements("queue")
        self._clock = clock
        self._config = config
        self._news = news
        self._calls = calls
        self._rings = Rings(bus)

    # -- commands --

    async def invite(
        self, caller: Member, socket_id: str, to: object, seconds: object, command_id: str | None
    ) -> Command:
        """Rings `to`; the answer for the caller: CallRinging, CallDeclined with the first reason that holds,
        or (glare) CallStart.
        """
        reason = self._first_fault(caller, to, seconds)
        if reason is not None:
            return CallDeclined(id=command_id, reason=reason)
        assert isinstance(to, str)
        assert isinstance(seconds, int)
        between = await self._sql.one(
            "between", Between, caller_id=caller.user_id, callee_id=to, now=self._clock.frozen
        )
        assert between is not None
        if between.is_hidden:
            return CallDeclined(id=command_id, reason="offline")
        deadline = between.now + timedelta(seconds=self._config.ring_seconds)
        ring = Ring(new_id(), caller.user_id, to, seconds, deadline, socket_id)
        outcome, other = await self._rings.open(
            ring, now_ms=epoch_ms(between.now), is_cooling=between.is_cooling, is_in_call=between.is_in_call
        )
        if outcome == "ringing":
            return await self._ring(caller, ring, command_id)
        if outcome == "glare" and other is not None:
            # Two people inviting each other: the second invite is the acceptance.
            return await self.accept(caller, socket_id, other, seconds, command_id)
        return CallDeclined(
            id=command_id, reason="cooldown" if outcome == "cooldown" else _offline_or_busy(outcome)
        )

    def _first_fault(
        self, caller: Member, to: object, seconds: object
    ) -> Literal["invalid_target", "invalid_duration", "no_access"] | None:
        if not is_id(to) or to == caller.user_id:
            return "invalid_target"
        if not self._is_length(seconds):
            return "invalid_duration"
        if caller.access == "unpaid" or caller.selfie_id is None or caller.is_banned:
            return "no_access"
        return None

    def _is_length(self, seconds: object) -> bool:
        least, most = self._config.call_min_seconds, self._config.call_max_seconds
        return isinstance(seconds, int) and not isinstance(seconds, bool) and least <= seconds <= most

    async def _ring(self, caller: Member, ring: Ring, command_id: str | None) -> CallRinging:
        callee = await self._person(ring.callee_id)
        now_ms, expires_at = self._clock.now_ms(), instant(ring.deadline)
        notify = CallNotify(
            invite_id=ring.invite_id, from_user=caller.person, requested_seconds=ring.seconds,
            expires_at=expires_at, server_now=now_ms,
        )  # fmt: skip
        self._news.to_user(ring.callee_id, notify)
        ringing = CallRinging(
            invite_id=ring.invite_id, to_user=callee, expires_at=expires_at, server_now=now_ms
        )
        self._news.to_user_but(caller.user_id, ring.socket, ringing)
        return msgspec.structs.replace(ringing, id=command_id)

    async def extend(
        self, caller: Member, socket_id: str, invite_id: str, command_id: str | None
    ) -> CallWaitExtended:
        """Twenty seconds more for both, caller only, at most twice. Raises NotFound or Conflict."""
        status, deadline, callee_id = await self._rings.extend(
            invite_id, caller.user_id, now_ms=self._clock.now_ms(),
            by_ms=self._config.ring_seconds * 1000, most=self._config.ring_extends,
        )  # fmt: skip
        if status == "not_found":
            raise NotFound("There is no such invite of yours.")
        if status == "conflict":
            raise Conflict("This invite cannot be kept waiting any longer.")
        told = CallWaitExtended(
            invite_id=invite_id, expires_at=instant(deadline), server_now=self._clock.now_ms()
        )
        self._news.to_user(callee_id, told)
        self._news.to_user_but(caller.user_id, socket_id, told)
        return msgspec.structs.replace(told, id=command_id)

    async def cancel(self, caller: Member, socket_id: str, invite_id: str, command_id: str | None) -> Command:
        ring = await self._mine(invite_id, caller.user_id, "caller_id")
        if not isinstance(ring, Ring):
            return await self._told(ring, caller.user_id, command_id)
        if not await self._decide(ring.invite_id, ring.caller_id, ring.callee_id, "cancelled"):
            return await self._told_of(invite_id, caller.user_id, command_id)
        told = CallCancelled(invite_id=invite_id, reason="cancelled")
        await self._release(ring)
        self._news.to_user(ring.callee_id, told)
        self._news.to_user_but(ring.caller_id, socket_id, told)
        return msgspec.structs.replace(told, id=command_id)

    async def decline(
        self, callee: Member, socket_id: str, invite_id: str, command_id: str | None
    ) -> Command:
        ring = await self._mine(invite_id, callee.user_id, "callee_id")
        if not isinstance(ring, Ring):
            return await self._told(ring, callee.user_id, command_id)
        if not await self._decide(ring.invite_id, ring.caller_id, ring.callee_id, "declined"):
            return await self._told_of(invite_id, callee.user_id, command_id)
        await self._release(ring)
        self._news.to_user(ring.caller_id, CallDeclined(invite_id=invite_id, reason="declined"))
        answered = CallAnswered(invite_id=invite_id, outcome="declined")
        self._news.to_user_but(ring.callee_id, socket_id, answered)
        return msgspec.structs.replace(answered, id=command_id)

    async def accept(
        self, callee: Member, socket_id: str, invite_id: str, seconds: object, command_id: str | None
    ) -> Command:
        """Begins the call, once; who comes second is told what was decided. Raises NotFound, Invalid."""
        ring = await self._mine(invite_id, callee.user_id, "callee_id")
        if not isinstance(ring, Ring):
            return await self._told(ring, callee.user_id, command_id)
        if not self._is_length(seconds):
            least, most = self._config.call_min_seconds, self._config.call_max_seconds
            raise Invalid(requestedSeconds=f"Choose from {least} to {most} seconds.")
        assert isinstance(seconds, int)
        new = self._calls.new(ring.invite_id, ring.caller_id, ring.callee_id, (ring.seconds + seconds) // 2)
        try:
            accepted = await self._sql.one("accept", Accepted, **new.as_values())
        except UniqueViolation as violation:
            if violation.constraint != "live_seats_pkey":
                raise
            # One of the two got into another call meanwhile: this ring can only fall away.
            return await self._fall_away(ring, callee, command_id)
        assert accepted is not None
        if not accepted.is_allowed:
            return await self._fall_away(ring, callee, command_id)
        if not accepted.is_first:
            return await self._told_of(invite_id, callee.user_id, command_id)
        return await self._start(ring, new.call_id, callee.user_id, socket_id, command_id)

    # -- what ends by itself --

    async def sweep(self) -> None:
        """Rings that ran out, and rings whose caller has had no socket for five seconds."""
        for due in await self._rings.due(self._clock.now_ms(), LEASE_MS):
            await self._end_due(due)

    async def _end_due(self, due: Due) -> None:
        outcome: Literal["missed", "gone"] = "missed" if due.outcome == "missed" else "gone"
        is_first = await self._decide(due.invite_id, due.caller_id, due.callee_id, outcome)
        if not is_first:
            await self._finish_for_another(due)
            return
        await self._rings.release(due.invite_id, due.caller_id, due.callee_id, self._clock.now_ms())
        self._tell_ended(due.invite_id, due.caller_id, due.callee_id, outcome)

    def _tell_ended(self, invite_id: str, caller_id: str, callee_id: str, outcome: Outcome) -> None:
        """What both hear of a ring that ended without either of them asking."""
        if outcome == "missed" or outcome == "declined":
            self._news.to_user(caller_id, CallDeclined(invite_id=invite_id, reason=outcome))
        elif outcome != "accepted":
            self._news.to_user(caller_id, CallCancelled(invite_id=invite_id, reason=outcome))
        if outcome == "accepted" or outcome == "declined":
            self._news.to_user(callee_id, CallAnswered(invite_id=invite_id, outcome=outcome))
        else:
            self._news.to_user(callee_id, CallCancelled(invite_id=invite_id, reason=outcome))

    async def _finish_for_another(self, due: Due) -> None:
        """A process decided this ring and died before it said so: say it now."""
        decided = await self._sql.one("outcome", Decided, invite_id=due.invite_id)
        ring = await self._rings.find(due.invite_id)
        if decided is None or ring is None:
            return
        if decided.outcome == "accepted" and decided.call_id is not None:
            await self._start(ring, decided.call_id, ring.callee_id, None, None)
            return
        await self._release(ring)
        self._tell_ended(due.invite_id, due.caller_id, due.callee_id, decided.outcome)

    async def state_of(self, user_id: str, busy: str, socket_id: str) -> StateInvite | None:
        """The ring this person is in, for `state`. The caller's new socket takes the place of a lost one."""
        kind, _, invite_id = busy.partition(":")
        ring = await self._rings.find(invite_id) if kind == "invite" else None
        if ring is None or user_id not in (ring.caller_id, ring.callee_id):
            return None
        is_out = ring.caller_id == user_id
        if is_out:
            await self._rings.adopt(ring.invite_id, socket_id)
        return StateInvite(
            invite_id=ring.invite_id,
            direction="out" if is_out else "in",
            person=await self._person(ring.other(user_id)),
            requested_seconds=ring.seconds,
            expires_at=instant(ring.deadline),
        )

    # -- how an outcome is decided and told --

    async def _decide(self, invite_id: str, caller_id: str, callee_id: str, outcome: Outcome) -> bool:
        """True when this was the first; writes the cooldown with it."""
        seconds = (
            self._config.cooldown_declined_seconds
            if outcome == "declined"
            else self._config.cooldown_missed_seconds
        )
        rows = await self._sql.run(
            "decide", invite_id=invite_id, caller_id=caller_id, callee_id=callee_id, outcome=outcome,
            cooldown_seconds=seconds, now=self._clock.frozen,
        )  # fmt: skip
        return rows == 1

    async def _mine(
        self, invite_id: str, user_id: str, part: Literal["caller_id", "callee_id"]
    ) -> Ring | Decided:
        """The ring, or how it was decided. NotFound for everyone whose part in it is another."""
        ring = await self._rings.find(invite_id) if is_id(invite_id) else None
        if ring is not None and getattr(ring, part) == user_id:
            return ring
        decided = (
            await self._sql.one("outcome", Decided, invite_id=invite_id)
            if ring is None and is_id(invite_id)
            else None
        )
        if decided is None or getattr(decided, part) != user_id:
            raise NotFound("There is no such invite of yours.")
        return decided

    async def _told_of(self, invite_id: str, user_id: str, command_id: str | None) -> Command:
        decided = await self._sql.one("outcome", Decided, invite_id=invite_id)
        if decided is None:
            raise NotFound("There is no such invite of yours.")
        return await self._told(decided, user_id, command_id)

    async def _told(self, decided: Decided, user_id: str, command_id: str | None) -> Command:
        """What somebody hears who came second."""
        if decided.outcome == "cancelled" or decided.outcome == "missed" or decided.outcome == "gone":
            return CallCancelled(id=command_id, invite_id=decided.invite_id, reason=decided.outcome)
        return CallAnswered(id=command_id, invite_id=decided.invite_id, outcome=decided.outcome)

    async def _fall_away(self, ring: Ring, callee: Member, command_id: str | None) -> Command:
        """The call is not possible any more: the ring ends as gone, for both."""
        if not await self._decide(ring.invite_id, ring.caller_id, ring.callee_id, "gone"):
            return await self._told_of(ring.invite_id, callee.user_id, command_id)
        await self._release(ring)
        told = CallCancelled(invite_id=ring.invite_id, reason="gone")
        self._news.to_user(ring.caller_id, told)
        self._news.to_user(callee.user_id, told)
        return msgspec.structs.replace(told, id=command_id)

    async def _release(self, ring: Ring) -> None:
        await self._rings.release(ring.invite_id, ring.caller_id, ring.callee_id, self._clock.now_ms())

    async def _start(
        self, ring: Ring, call_id: str, callee_id: str, socket_id: str | None, command_id: str | None
    ) -> CallStart:
        """The inviting and the answering socket hear call:start, the other tabs of both call:answered."""
        call = await self._calls.get(call_id)
        inviting = await self._rings.release(
            ring.invite_id, ring.caller_id, ring.callee_id, self._clock.now_ms(), call_id
        )
        caller, callee = await self._person(ring.caller_id), await self._person(ring.callee_id)
        answered = CallAnswered(invite_id=ring.invite_id, outcome="accepted")
        now_ms = self._clock.now_ms()

        def start(side: Literal["caller", "callee"], peer: Person) -> CallStart:
            return CallStart(
                call_id=call_id, agreed_seconds=call.agreed_seconds, polite=call.is_polite(side),
                peer_user=peer,
                server_now=now_ms,
            )  # fmt: skip

        others = answered if inviting else None
        self._news.to_user(ring.caller_id, start("caller", callee), only=inviting, others=others)
        to_callee = start("callee", caller)
        if socket_id is None:
            self._news.to_user(callee_id, to_callee)
        else:
            self._news.to_user_but(callee_id, socket_id, answered)
        return msgspec.structs.replace(to_callee, id=command_id)

    async def _person(self, user_id: str) -> Person:
        rows = await self._people.all("cards", PersonRow, user_ids=[user_id])
        if not rows:
            raise NotFound("This person has left.")
        row = rows[0]
        return Person(
            user_id=row.user_id, name=row.name, gender=row.gender, selfie_url=media_url(row.selfie_id)
        )


def _offline_or_busy(outcome: str) -> Literal["offline", "busy"]:
    return "offline" if outcome == "offline" else "busy"
