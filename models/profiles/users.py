"""Users: guests and account holders, with name, gender, handles and call statistics.

Names and genders are validated before they are stored; a form gets every fault at once. Deleted users are not
found. Raises: Invalid, NotFound.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import msgspec

from models.clock import Clock
from models.errors import Invalid, NotFound
from models.ids import new_id
from models.messages import JsonStruct, Person, media_url
from models.postgres.database import Db, Transaction
from models.profiles.handles import clean_handles
from models.profiles.media import MediaKind
from models.profiles.names import clean_name
from models.security.member import Gender, Member, UserKind

GENDERS = get_args(Gender)


class User(msgspec.Struct, frozen=True):
    user_id: str
    name: str
    gender: Gender
    selfie_id: str | None
    video_id: str | None
    successful_calls: int
    handles: dict[str, str]
    kind: UserKind = "person"

    @property
    def video_url(self) -> str | None:
        return media_url(self.video_id)

    @property
    def person(self) -> Person:
        return Person(
            user_id=self.user_id,
            name=self.name,
            gender=self.gender,
            selfie_url=media_url(self.selfie_id),
            is_robot=self.kind != "person",
        )


class Profile(msgspec.Struct, frozen=True):
    """What others may see of a user, as the statements of other models return it."""

    user_id: str
    name: str
    gender: Gender
    selfie_id: str | None
    kind: UserKind = "person"

    @property
    def person(self) -> Person:
        return Person(
            user_id=self.user_id,
            name=self.name,
            gender=self.gender,
            selfie_url=media_url(self.selfie_id),
            is_robot=self.kind != "person",
        )


class _OwnCode(msgspec.Struct, frozen=True):
    code: str
    uses_remaining: int | None


class CallCounts(msgspec.Struct, frozen=True):
    """The connected calls of a user, and how many of them were long enough to be successful."""

    calls: int
    connected_ms: int
    successful_calls: int

    @property
    def connected_seconds(self) -> int:
        return self.connected_ms // 1000

    @property
    def average_seconds(self) -> int:
        return self.connected_seconds // self.calls if self.calls else 0


class RemovalJson(JsonStruct, frozen=True, kw_only=True):
    """One of `removed` in `GET /user/me`; its page has the appeal."""

    removal_id: str
    kind: MediaKind
    rule: str
    reason: str
    removed_at: str
    url: str


class Me(JsonStruct, frozen=True, kw_only=True):
    """`GET /user/me`."""

    user_id: str
    name: str
    gender: Gender
    access: str
    selfie_url: str | None
    video_url: str | None
    handles: dict[str, str]
    invite_code: str | None = None
    uses_remaining: int | None = None
    total_calls: int
    successful_calls: int
    connected_seconds: int
    is_account: bool
    # Only to its owner, like the whole record.
    email: str | None = None
    # Removed by a moderator and not replaced yet.
    removed: list[RemovalJson] | None = None


class Users:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._clock = clock
        self._sql = db.statements("profiles.users")

    async def create_guest(self, name: str, gender: str, *, adult: bool, on: Transaction) -> str:
        """Creates a guest and returns the id. Raises: Invalid (`name`, `gender`, `adult`: all that apply)."""
        clean = checked(name, gender, adult=adult)
        user_id = new_id()
        await self._sql.run(
            "create", on=on, user_id=user_id, name=clean, gender=gender, now=self._clock.frozen
        )
        return user_id

    async def find(self, user_id: str) -> User | None:
        return await self._sql.one("find", User, user_id=user_id)

    async def get(self, user_id: str) -> User:
        """Raises NotFound."""
        user = await self.find(user_id)
        if user is None:
            raise NotFound
        return user

    async def person(self, user_id: str) -> Person | None:
        """What others may see of a user, or None."""
        user = await self.find(user_id)
        return None if user is None else user.person

    async def people(self, user_ids: list[str]) -> dict[str, Person]:
        """As `person` for several users, by id, without deleted ones."""
        users = await self._sql.all("find_several", User, user_ids=user_ids)
        return {user.user_id: user.person for user in users}

    async def update(
        self,
        user_id: str,
        *,
        name: str | None = None,
        gender: str | None = None,
        handles: Mapping[str, str | None] | None = None,
    ) -> User:
        """Changes what is not None. Handles that are not named stay; an empty one is removed.

        Raises: Invalid (`name`, `gender`, the network of a handle), NotFound.
        """
        values = {"name": checked(name, gender), "gender": gender}
        kept = msgspec.json.encode(clean_handles(handles or {})).decode()
        user = await self._sql.one("update", User, on=None, user_id=user_id, handles=kept, **values)
        if user is None:
            raise NotFound
        return user

    async def _own_code(self, user_id: str) -> _OwnCode | None:
        return await self._sql.one("invite_code", _OwnCode, user_id=user_id)

    async def tally(self, user_id: str) -> CallCounts:
        tally = await self._sql.one("tally", CallCounts, user_id=user_id)
        assert tally is not None
        return tally

    async def me(self, member: Member) -> Me:
        """The member's own profile with statistics and settings. Raises: NotFound."""
        user, code = await self.get(member.user_id), await self._own_code(member.user_id)
        tally = await self.tally(member.user_id)
        return Me(
            user_id=user.user_id,
            name=user.name,
            gender=user.gender,
            access=member.access,
            selfie_url=media_url(user.selfie_id),
            video_url=user.video_url,
            handles=user.handles,
            invite_code=None if code is None else code.code,
            uses_remaining=None if code is None else code.uses_remaining,
            total_calls=tally.calls,
            successful_calls=user.successful_calls,
            connected_seconds=tally.connected_seconds,
            is_account=member.is_account,
            email=await self._sql.value("own_email", user_id=member.user_id) if member.is_account else None,
        )


def checked(name: str | None, gender: str | None, *, adult: bool = True) -> str | None:
    """Validates and returns the clean name. Raises: Invalid with every fault at once."""
    faults: dict[str, str] = {}
    clean = None
    try:
        clean = None if name is None else clean_name(name)
    except Invalid as problem:
        faults |= problem.fields or {}
    if gender is not None and gender not in GENDERS:
        faults["gender"] = "Choose one of the four options."
    if not adult:
        faults["adult"] = "You must be 18 or older and accept the terms."
    if faults:
        raise Invalid(**faults)
    return clean
