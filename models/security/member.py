"""The member of a request: the result of a session look-up.

It has all fields that the permission checks read.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from models.errors import AgeUnproven, Invalid, PaymentRequired, SelfieRequired, TermsChanged
from models.ids import is_id
from models.messages import Access, Person, media_url

Gender = Literal["female", "male", "nonbinary", "unspecified"]
# `robot`: a partner of the demo. `probe`: a caller of the doctor, invisible to members.
UserKind = Literal["person", "robot", "probe"]


class Member(msgspec.Struct, frozen=True):
    """A signed-in user, read in one statement."""

    session_id: str
    user_id: str
    name: str
    gender: Gender
    selfie_id: str | None
    access: Access
    is_banned: bool
    is_account: bool
    renewed_at: datetime
    expires_at: datetime
    # This look-up renewed the session (once a day), so the browser's cookie is renewed too.
    was_renewed: bool = False
    kind: UserKind = "person"
    # The version of the terms that is in force.
    has_accepted_terms: bool = True
    # True too where no provider is asked.
    is_age_proven: bool = True
    live_call_id: str | None = None

    @property
    def selfie_url(self) -> str | None:
        return media_url(self.selfie_id)

    @property
    def person(self) -> Person:
        return Person(
            user_id=self.user_id,
            name=self.name,
            gender=self.gender,
            selfie_url=self.selfie_url,
            is_robot=self.kind != "person",
        )

    def check(
        self, *, terms: bool = True, age: bool = True, access: bool = True, selfie: bool = True
    ) -> None:
        """Checks what is requested, in this order.

        Raises: TermsChanged, AgeUnproven, PaymentRequired, SelfieRequired.
        """
        if terms and not self.has_accepted_terms:
            raise TermsChanged
        if age and not self.is_age_proven:
            raise AgeUnproven
        if access and self.access == "unpaid":
            raise PaymentRequired
        if selfie and self.selfie_id is None:
            raise SelfieRequired

    def with_selfie(self, media_id: str) -> Member:
        return msgspec.structs.replace(self, selfie_id=media_id)


def check_other(user_id: str, other_id: object) -> None:
    """For what a user does about another user. Raises: Invalid for oneself and for an invalid id."""
    if not is_id(other_id) or other_id == user_id:
        raise Invalid(userId="Choose someone else.")
