"""What Stripe tells, read and compared: pure."""

from __future__ import annotations

import pytest

from models.errors import BadRequest
from models.stripe_events import Checkout, fact_of, read_event, read_session
from tests.stripe_stand_in import event

CHECKOUT = Checkout(
    attempt_id="a", user_id="u", kind="test", amount_cents=50, currency="usd", session_id=None,
    checkout_url=None, state="open",
)  # fmt: skip
TOLD = {
    "id": "cs_1",
    "client_reference_id": "u",
    "metadata": {"user_id": "u", "attempt_id": "a"},
    "amount_total": 50,
    "currency": "usd",
    "mode": "payment",
    "livemode": False,
    "status": "complete",
    "payment_status": "paid",
}


def differences(**changes: object) -> list[str]:
    return compared(event("completed", TOLD | changes))


def compared(payload: bytes) -> list[str]:
    return CHECKOUT.differences(read_session(read_event(payload)))


def test_as_created() -> None:
    assert differences() == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"amount_total": 51}, "amount"),
        ({"amount_total": None}, "amount"),
        ({"currency": "USD"}, "currency"),
        ({"client_reference_id": "U"}, "client_reference_id"),
        ({"metadata": {"user_id": "u"}}, "metadata.attempt_id"),
        ({"metadata": {"attempt_id": "a", "user_id": "x"}}, "metadata.user_id"),
        ({"mode": "setup"}, "mode"),
        ({"livemode": True}, "livemode"),
    ],
)
def test_each_difference_has_a_name(changes, named) -> None:
    assert differences(**changes) == [named]


def test_an_event_and_its_object_must_be_of_one_mode() -> None:
    assert compared(event("completed", TOLD, livemode=True)) == ["livemode"]
    assert compared(event("completed", TOLD | {"livemode": True}, livemode=True)) == ["livemode"]


@pytest.mark.parametrize(
    ("kind", "changes", "fact"),
    [
        ("completed", {}, "paid"),
        ("completed", {"payment_status": "unpaid"}, "waiting"),
        ("completed", {"payment_status": "no_payment_required"}, "waiting"),
        ("async_payment_succeeded", {}, "paid"),
        ("async_payment_failed", {"payment_status": "unpaid"}, "failed"),
        ("expired", {"status": "expired", "payment_status": "unpaid"}, "expired"),
    ],
)
def test_what_an_event_says(kind, changes, fact) -> None:
    told = read_event(event(kind, TOLD | changes))
    assert fact_of(told, read_session(told)) == fact


@pytest.mark.parametrize(
    "changes", [{"id": ""}, {"id": "cs\u0000"}, {"amount_total": "50"}, {"metadata": []}]
)
def test_a_session_of_another_form_is_refused(changes) -> None:
    with pytest.raises(BadRequest):
        read_session(read_event(event("completed", TOLD | changes)))
