"""Answers to a ring: the callee accepts or declines, the caller cancels."""

from __future__ import annotations

import msgspec

from models.broadcasts import Broadcasts
from models.calls.calls import Calls
from models.errors import Invalid
from models.messages import CallAnswered, CallCancelled, CallDeclined, Command
from models.ringing.outcomes import Decided, InviteOutcomes, StartedCall
from models.ringing.rings import is_length
from models.security.member import Member
from models.settings.config import Config


class InviteAnswers:
    """A late answer gets the outcome that was decided before. Another user's invite is not found."""

    def __init__(
        self, config: Config, broadcasts: Broadcasts, calls: Calls, outcomes: InviteOutcomes
    ) -> None:
        self._config, self._broadcasts, self._calls, self._outcomes = config, broadcasts, calls, outcomes

    async def cancel(self, caller: Member, socket_id: str, invite_id: str, command_id: str | None) -> Command:
        ring = await self._outcomes.get_own(invite_id, caller.user_id, "caller_id")
        if isinstance(ring, Decided):
            return ring.late_answer(command_id)
        if not await self._outcomes.decide(ring.invite_id, ring.caller_id, ring.callee_id, "cancelled"):
            return await self._outcomes.late_answer(invite_id, command_id)
        message = CallCancelled(invite_id=invite_id, reason="cancelled")

        def notify_both(_inviting: str | None) -> None:
            self._broadcasts.to_user(ring.callee_id, message)
            self._broadcasts.to_user_except(ring.caller_id, socket_id, message)

        await self._outcomes.settle(ring, notify_both)
        return msgspec.structs.replace(message, id=command_id)

    async def decline(
        self, callee: Member, socket_id: str, invite_id: str, command_id: str | None
    ) -> Command:
        ring = await self._outcomes.get_own(invite_id, callee.user_id, "callee_id")
        if isinstance(ring, Decided):
            return ring.late_answer(command_id)
        if not await self._outcomes.decide(ring.invite_id, ring.caller_id, ring.callee_id, "declined"):
            return await self._outcomes.late_answer(invite_id, command_id)
        answered = CallAnswered(invite_id=invite_id, outcome="declined")

        def notify_both(_inviting: str | None) -> None:
            self._broadcasts.to_user(ring.caller_id, CallDeclined(invite_id=invite_id, reason="declined"))
            self._broadcasts.to_user_except(ring.callee_id, socket_id, answered)

        await self._outcomes.settle(ring, notify_both)
        return msgspec.structs.replace(answered, id=command_id)

    async def accept(
        self, callee: Member, socket_id: str, invite_id: str, seconds: object, command_id: str | None
    ) -> Command:
        """Starts the call, or returns the outcome if it is already decided. Raises: NotFound, Invalid."""
        ring = await self._outcomes.get_own(invite_id, callee.user_id, "callee_id")
        if isinstance(ring, Decided):
            return ring.late_answer(command_id)
        if not is_length(seconds, self._config):
            least, most = self._config.call_min_seconds, self._config.call_max_seconds
            raise Invalid(requestedSeconds=f"Choose from {least} to {most} seconds.")
        assert isinstance(seconds, int)
        agreed = (ring.seconds + seconds) // 2
        new = self._calls.new(ring.invite_id, ring.caller_id, ring.callee_id, agreed)
        outcome, people = await self._outcomes.accept(new)
        if outcome == "accepted":
            self._calls.add_accepted(new)
            return await self._outcomes.start(
                StartedCall(ring, new.call_id, agreed, people), socket_id, command_id
            )
        if outcome == "taken":
            return await self._outcomes.late_answer(invite_id, command_id)
        return await self._outcomes.end_as_gone(ring, socket_id, command_id)
