"""Steps of a call: what is written at once, and the media bit that is held until the next step."""

from __future__ import annotations

import pytest

from models.calls.call import Call
from models.calls.state import MediaDown, MediaUp, Side
from models.wiring import Models
from tests.conftest import MakePerson, MakeSite
from tests.models.calls.test_calls import begin
from tests.support.scenes import rows

SIDES: tuple[Side, Side] = ("caller", "callee")


async def seated(models: Models, person: MakePerson, far: Models | None = None) -> Call:
    """A call with both seats; the callee's in the other process, if there is one."""
    call = await begin(models, await person("Anna"), await person("Ben"))
    await models.calls.take_seat(call.call_id, "caller", "a")
    await (far or models).calls.take_seat(call.call_id, "callee", "b")
    return call


async def media(models: Models) -> tuple[bool, bool]:
    """The bits of the only call, as written."""
    (found,) = await rows(models, "select caller_up, callee_up from calls")
    return found


async def test_taking_a_seat_costs_one_statement(models: Models, person: MakePerson) -> None:
    call = await begin(models, await person("Anna"), await person("Ben"))
    models.calls.forget(call.call_id)
    await models.calls.take_seat(call.call_id, "caller", "a")
    before = models.db.statements_run
    _, view = await models.calls.take_seat(call.call_id, "callee", "b")
    assert view is not None
    assert models.db.statements_run - before == 1


@pytest.mark.parametrize("first", SIDES)
async def test_the_first_media_bit_is_written_with_the_second(
    models: Models, person: MakePerson, first: Side
) -> None:
    call = await seated(models, person)
    second: Side = "callee" if first == "caller" else "caller"
    before = models.db.statements_run
    for side in (first, first):
        assert await models.calls.report_media(call.call_id, MediaUp(side)) is None
    assert models.db.statements_run == before
    assert await models.calls.report_media(call.call_id, MediaUp(second)) is None
    assert models.db.statements_run == before + 1
    assert await media(models) == (True, True)
    assert (await models.calls.get(call.call_id)).progress.clock == "running"


async def test_a_held_bit_that_is_cleared_is_never_written(models: Models, person: MakePerson) -> None:
    call = await seated(models, person)
    await models.calls.report_media(call.call_id, MediaUp("caller"))
    await models.calls.report_media(call.call_id, MediaDown("caller"))
    await models.calls.lose_seat(call.call_id, "caller", "a")
    assert await media(models) == (False, False)


async def test_a_held_bit_is_written_with_a_lost_seat(models: Models, person: MakePerson) -> None:
    call = await seated(models, person)
    await models.calls.report_media(call.call_id, MediaUp("caller"))
    await models.calls.lose_seat(call.call_id, "callee", "b")
    assert await media(models) == (True, False)


async def test_a_bit_is_written_at_once_while_the_other_seat_is_elsewhere(
    make_site: MakeSite, models: Models, person: MakePerson
) -> None:
    far = (await make_site()).models
    call = await seated(models, person, far)
    await models.calls.report_media(call.call_id, MediaUp("caller"))
    assert await media(models) == (True, False)
    await far.calls.report_media(call.call_id, MediaUp("callee"))
    assert (await models.calls.get(call.call_id)).progress.clock == "running"


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_held_bit_counts_when_the_other_seat_moves(
    make_site: MakeSite, models: Models, person: MakePerson, is_first: bool
) -> None:
    """The callee's new process reports its media before or after this one knows of the move."""
    far = (await make_site()).models
    call = await seated(models, person)
    await models.calls.report_media(call.call_id, MediaUp("caller"))
    await far.calls.take_seat(call.call_id, "callee", "c")
    if is_first:
        await far.calls.report_media(call.call_id, MediaUp("callee"))
    await models.calls.seat_moved(call.call_id)
    if not is_first:
        assert await media(models) == (True, False)
        await far.calls.report_media(call.call_id, MediaUp("callee"))
    assert (await models.calls.get(call.call_id)).progress.clock == "running"
