"""Parsing of Stripe's events. Pure."""

from __future__ import annotations

import pytest

from models.billing.provider.stripe_events import EVENTS, fact_of, read_event, read_object
from models.errors import BadRequest
from tests.support.billing.stripe_events import SESSION, event, object_event


@pytest.mark.parametrize(
    ("kind", "changes", "fact"),
    [
        ("completed", {}, "paid"),
        ("completed", {"payment_status": "unpaid"}, "processing"),
        ("completed", {"payment_status": "no_payment_required"}, "waiting"),
        ("async_payment_succeeded", {}, "paid"),
        ("async_payment_failed", {"payment_status": "unpaid"}, "failed"),
        ("expired", {"status": "expired", "payment_status": "unpaid"}, "expired"),
    ],
)
def test_the_fact_of_each_event(kind, changes, fact) -> None:
    told = read_event(event(kind, SESSION | changes))
    assert fact_of(told, read_object(told)) == fact


@pytest.mark.parametrize(
    "changes", [{"id": ""}, {"id": "cs\u0000"}, {"amount_total": "50"}, {"metadata": []}]
)
def test_a_malformed_session_is_rejected(changes) -> None:
    with pytest.raises(BadRequest):
        read_object(read_event(event("completed", SESSION | changes)))


def test_each_event_is_parsed_by_its_object() -> None:
    for kind, expected in EVENTS.items():
        assert type(read_object(read_event(object_event(kind, {"id": "x_1"})))) is expected
    assert read_object(read_event(object_event("customer.created", {}))) is None


@pytest.mark.parametrize("kind", EVENTS)
def test_an_object_without_an_id_is_rejected(kind) -> None:
    with pytest.raises(BadRequest):
        read_object(read_event(object_event(kind, {"object": "what"})))
