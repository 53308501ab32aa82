"""Cursors of time-ordered lists: an instant in UTC and an id, opaque to clients."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta

from models.errors import Invalid
from models.ids import is_id


def cursor_of(at: datetime, one_id: str) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{one_id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """Raises: Invalid (`cursor`), if it is not one of ours."""
    try:
        at, _, one_id = base64.urlsafe_b64decode(cursor[:200] + "==").decode().partition("|")
        instant_at = datetime.fromisoformat(at)
        if not is_id(one_id) or instant_at.utcoffset() != timedelta(0):
            raise ValueError
        return instant_at, one_id
    except (ValueError, binascii.Error) as error:
        raise Invalid(cursor="This cursor is not one of ours. Start again without it.") from error
