"""The links of appeals that were handed to the operator."""

from __future__ import annotations

import pytest

from models.errors import NotFound
from models.ids import new_id
from models.safety.decisions.handovers import Handovers
from models.wiring import Models


async def test_a_link_is_valid_for_its_own_appeal_only(models: Models) -> None:
    handovers, ban_id = Handovers(models.site_secret), new_id()
    path = await handovers.path("ban", ban_id)
    *_, token = path.split("/")
    assert path == f"/appeals/ban/{ban_id}/{token}"
    await handovers.check("ban", ban_id, token)
    for wrong in (
        ("removal", ban_id, token),
        ("ban", new_id(), token),
        ("ban", "x", token),
        ("ban", ban_id, "é"),
    ):
        with pytest.raises(NotFound):
            await handovers.check(*wrong)  # type: ignore[arg-type]
