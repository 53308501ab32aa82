"""Comparison of the stored checkout with Stripe's objects. Pure."""

from __future__ import annotations

import msgspec
import pytest

from models.billing.provider.stripe_events import read_event, read_object
from models.billing.provider.stripe_types import (
    Checkout,
    StripeCharge,
    StripeDispute,
    StripeIntent,
)
from tests.support.billing.stripe_events import SESSION, event

CHECKOUT = Checkout(
    attempt_id="a", user_id="u", kind="test", amount_cents=50, currency="usd", session_id=None,
    checkout_url=None, payment_intent=None, state="open",
)  # fmt: skip


def differences(**changes: object) -> list[str]:
    return compared(event("completed", SESSION | changes))


def compared(payload: bytes) -> list[str]:
    return CHECKOUT.differences(read_object(read_event(payload)))


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
    assert compared(event("completed", SESSION, livemode=True)) == ["livemode"]
    assert compared(event("completed", SESSION | {"livemode": True}, livemode=True)) == ["livemode"]


OURS = {"metadata": {"user_id": "u", "attempt_id": "a"}, "currency": "usd", "livemode": False}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({}, []),
        ({"amount_received": 49}, ["amount"]),
        ({"currency": None}, ["currency"]),
        ({"livemode": True}, ["livemode"]),
        ({"metadata": None}, ["metadata.user_id", "metadata.attempt_id"]),
    ],
)
def test_a_payment_is_compared(changes, named) -> None:
    told = StripeIntent(**{"id": "pi_1", "amount_received": 50} | OURS | changes)
    assert CHECKOUT.differences_of_payment(told) == named


def test_a_checkout_has_one_payment() -> None:
    paid = msgspec.structs.replace(CHECKOUT, payment_intent="pi_1")
    assert paid.differences_of_payment(StripeIntent(id="pi_1", amount_received=50, **OURS)) == []
    other = StripeIntent(id="pi_2", amount_received=50, **OURS)
    assert paid.differences_of_payment(other) == ["payment_intent"]
    charge = StripeCharge(id="ch_1", payment_intent="pi_2", amount=50, **OURS)
    assert paid.differences_of_charge(charge) == ["payment_intent"]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("needs_response", "open"),
        ("under_review", "open"),
        ("won", "won"),
        ("lost", "lost"),
        ("warning_closed", None),
        ("prevented", None),
    ],
)
def test_the_outcome_of_a_dispute(status, outcome) -> None:
    assert StripeDispute(id="du_1", status=status).outcome == outcome
