"""Call invites: a user rings another for twenty seconds, and each ring has exactly one outcome.

Here a ring is opened and extended; in `models.ringing.answers` it is accepted, declined or cancelled. It is
stored in Redis (`models.ringing.rings`). Its outcome is one row in PostgreSQL (`models.ringing.outcomes`). A
command about another user's invite raises NotFound and publishes nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from models.broadcasts import Broadcasts
from models.clock import Clock
from models.errors import Conflict, NotFound
from models.ids import is_id, new_id
from models.messages import (
    CallDeclined,
    CallNotify,
    CallRinging,
    CallWaitExtended,
    Command,
    StateInvite,
    epoch_ms,
    instant,
)
from models.postgres.database import Db
from models.profiles.users import Profile, Users
from models.ringing.answers import InviteAnswers
from models.ringing.outcomes import InviteOutcomes
from models.ringing.rings import Ring, Rings, is_length
from models.security.member import Member
from models.settings.config import Config


class PairStatus(msgspec.Struct, frozen=True):
    """What prevents a call between two users, as seen by the caller."""

    # None if they may not invite.
    caller: Profile | None
    is_hidden: bool
    is_cooling: bool
    is_in_call: bool
    now: datetime
    # The callee as the caller sees them; None once deleted.
    callee: Profile | None

    @property
    def fault(self) -> Literal["no_access", "offline", "cooldown", "busy"] | None:
        """The first reason against a ring."""
        if self.caller is None:
            return "no_access"
        if self.is_hidden or self.callee is None:
            return "offline"
        return "cooldown" if self.is_cooling else "busy" if self.is_in_call else None


class Invites:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        config: Config,
        broadcasts: Broadcasts,
        users: Users,
        rings: Rings,
        outcomes: InviteOutcomes,
        answers: InviteAnswers,
        terms_version: str,
    ) -> None:
        self._sql = db.statements("ringing.invites")
        self._clock, self._config, self._broadcasts = clock, config, broadcasts
        self._users, self._rings, self._outcomes, self._answers = users, rings, outcomes, answers
        self._terms_version, self._asks_age_proof = terms_version, config.asks_age_proof

    # -- commands --

    async def invite(
        self, caller: Member, socket_id: str, to: object, seconds: object, command_id: str | None
    ) -> Command:
        """Rings `to`. Returns the answer for the caller: CallRinging, CallDeclined with the first reason that
        applies, or (on glare) CallStart.
        """
        reason = self._first_fault(caller, to, seconds)
        if reason is not None:
            return CallDeclined(id=command_id, reason=reason)
        assert isinstance(to, str)
        assert isinstance(seconds, int)
        between = await self._between(caller, to)
        if between.fault == "no_access":
            return CallDeclined(id=command_id, reason="no_access")
        deadline = between.now + timedelta(seconds=self._config.ring_seconds)
        ring = Ring(new_id(), caller.user_id, to, seconds, deadline, socket_id)
        outcome, other = await self._rings.open(
            ring, now_ms=epoch_ms(between.now), is_hidden=between.fault == "offline",
            is_cooling=between.is_cooling, is_in_call=between.is_in_call,
        )  # fmt: skip
        if outcome == "ringing":
            return await self._ring(caller, ring, command_id)
        if outcome == "glare" and other is not None:
            # Two users invite each other at the same time: the second invite accepts the first.
            return await self._answers.accept(caller, socket_id, other, seconds, command_id)
        return CallDeclined(
            id=command_id, reason="cooldown" if outcome == "cooldown" else _offline_or_busy(outcome)
        )

    def _first_fault(
        self, caller: Member, to: object, seconds: object
    ) -> Literal["invalid_target", "invalid_duration"] | None:
        if not is_id(to) or to == caller.user_id:
            return "invalid_target"
        return None if is_length(seconds, self._config) else "invalid_duration"

    async def _between(self, caller: Member, callee_id: str) -> PairStatus:
        between = await self._sql.one(
            "between", PairStatus, caller_id=caller.user_id, callee_id=callee_id,
            session_id=caller.session_id, terms_version=self._terms_version,
            asks_age_proof=self._asks_age_proof, now=self._clock.frozen,
        )  # fmt: skip
        assert between is not None
        return between

    async def _ring(self, caller: Member, ring: Ring, command_id: str | None) -> CallRinging | CallDeclined:
        """Checks again after the ring has been opened, then notifies both. A block or a decline looks for a
        ring after it has been written, so at least one of the two sees the other.
        """
        between = await self._between(caller, ring.callee_id)
        # On glare the other side may have accepted this ring already, and their own call prevents it.
        is_accepted = between.is_in_call and await self._is_accepted(ring.invite_id)
        if between.fault is not None and not (is_accepted and between.callee):
            await self._outcomes.settle(ring, lambda _inviting: None)
            return CallDeclined(id=command_id, reason=between.fault)
        assert between.callee is not None
        now_ms, expires_at = self._clock.now_ms(), instant(ring.deadline)
        ringing = CallRinging(
            invite_id=ring.invite_id, to_user=between.callee.person, expires_at=expires_at, server_now=now_ms
        )
        if between.caller is not None and not is_accepted:
            notify = CallNotify(
                invite_id=ring.invite_id, from_user=between.caller.person, requested_seconds=ring.seconds,
                expires_at=expires_at, server_now=now_ms,
            )  # fmt: skip
            self._broadcasts.to_user(ring.callee_id, notify)
            self._broadcasts.to_user_except(caller.user_id, ring.socket, ringing)
        return msgspec.structs.replace(ringing, id=command_id)

    async def _is_accepted(self, invite_id: str) -> bool:
        decided = await self._outcomes.find(invite_id)
        return decided is not None and decided.outcome == "accepted"

    async def extend(
        self, caller: Member, socket_id: str, invite_id: str, command_id: str | None
    ) -> CallWaitExtended:
        """Extends the ring by twenty seconds, for the caller, at most twice. Raises: NotFound, Conflict."""
        status, deadline, callee_id = await self._rings.extend(
            invite_id, caller.user_id, now_ms=self._clock.now_ms(),
            by_ms=self._config.ring_seconds * 1000, most=self._config.ring_extends,
        )  # fmt: skip
        if status == "not_found":
            raise NotFound("There is no such invite of yours.")
        if status == "conflict":
            raise Conflict("This invite cannot be extended any further.")
        message = CallWaitExtended(
            invite_id=invite_id, expires_at=instant(deadline), server_now=self._clock.now_ms()
        )
        self._broadcasts.to_user(callee_id, message)
        self._broadcasts.to_user_except(caller.user_id, socket_id, message)
        return msgspec.structs.replace(message, id=command_id)

    async def state_of(self, user_id: str, busy: str, socket_id: str) -> StateInvite | None:
        """The user's ring, for `state`; None once it is decided. A new socket of the caller replaces the
        inviting socket if that one is gone or belongs to the same tab.
        """
        kind, _, invite_id = busy.partition(":")
        ring = await self._rings.find(invite_id) if kind == "invite" else None
        if ring is None or user_id not in (ring.caller_id, ring.callee_id):
            return None
        person = await self._users.person(ring.other(user_id))
        if person is None or await self._outcomes.find(invite_id) is not None:
            return None
        is_out = ring.caller_id == user_id
        if is_out:
            await self._rings.adopt(invite_id, user_id, socket_id, self._clock.now_ms())
        return StateInvite(
            invite_id=ring.invite_id,
            direction="out" if is_out else "in",
            person=person,
            requested_seconds=ring.seconds,
            expires_at=instant(ring.deadline),
        )


def _offline_or_busy(outcome: str) -> Literal["offline", "busy"]:
    return "offline" if outcome == "offline" else "busy"
