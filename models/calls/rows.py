"""The rows of calls: read, advanced by one compare-and-set, and ended once with all that the end causes."""

from __future__ import annotations

from typing import Any

import msgspec

from models.calls.call import Call, other, read_call
from models.calls.chat import NEWEST
from models.calls.snapshot import Snapshot, SnapshotRow
from models.calls.state import CallState, Side
from models.errors import NotFound
from models.ids import new_code
from models.postgres.database import Db
from models.settings.config import Config


class _Advanced(SnapshotRow, frozen=True, kw_only=True):
    is_first: bool


class CallRows:
    def __init__(self, db: Db, config: Config) -> None:
        self._sql = db.statements("calls.calls")
        self._end = {
            "cooldown_seconds": config.cooldown_connected_seconds,
            "success_ms": config.success_seconds * 1000,
            "after_calls": config.code_after_calls,
            "uses_limit": config.code_uses,
        }

    async def get(self, call_id: str) -> Call:
        """Raises: NotFound."""
        row = await self._sql.one("find", dict[str, Any], call_id=call_id)
        if row is None:
            raise NotFound("There is no such call of yours.")
        return read_call(row)

    async def live_of(self, user_id: str) -> str | None:
        call_id: str | None = await self._sql.value("live_of", user_id=user_id)
        return call_id

    async def advance(
        self, before: Call, after: CallState, side: Side | None = None, *, is_lazy: bool = False
    ) -> tuple[bool, Snapshot | None]:
        """Writes a step. False if another process was first. With `side`, also what its seat is shown. A lazy
        step may be lost in a crash of PostgreSQL.
        """
        row = await self._advance(before, before.version, after, side, is_lazy=is_lazy)
        return row.is_first, None if side is None else row.snapshot

    async def snapshot(self, call: Call, side: Side) -> Snapshot:
        return (await self._advance(call, None, call.progress, side, is_lazy=False)).snapshot

    async def _advance(
        self, call: Call, version: int | None, progress: CallState, side: Side | None, *, is_lazy: bool
    ) -> _Advanced:
        values: dict[str, Any] = msgspec.structs.asdict(progress) | {"is_lazy": is_lazy}
        values |= {"caller_was": call.progress.caller_seat, "callee_was": call.progress.callee_seat}
        values |= {"call_id": call.call_id, "version": version, "most": NEWEST}
        values["user_id"] = None if side is None else call.user_on(side)
        values["peer_id"] = None if side is None else call.user_on(other(side))
        row = await self._sql.one("advance", _Advanced, **values)
        assert row is not None
        return row

    async def finish(self, before: Call, after: CallState) -> bool:
        """Writes the end: row, seats, cooldown, statistics and newly earned codes. True for the first."""
        values: dict[str, Any] = msgspec.structs.asdict(after) | self._end
        values |= {"call_id": before.call_id, "version": before.version}
        values |= {"caller_code": new_code(), "callee_code": new_code()}
        return await self._sql.value("finish", **values) is not None

    async def due(self, now: object, batch: int) -> list[str]:
        """Calls whose next deadline has come, at most `batch`."""
        return await self._sql.all("due", str, now=now, batch=batch)

    async def ended_among(self, call_ids: list[str]) -> list[str]:
        return await self._sql.all("ended_among", str, call_ids=call_ids)
