"""Requests to Stripe, and their failures."""

from __future__ import annotations

import logging

import pytest

from models.billing.provider import stripe_api
from models.billing.provider.stripe_api import StripeRefused, StripeUnavailable
from tests.support.billing.stripe_books import KEY


async def test_the_parameters_of_a_new_checkout(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    session = stripe.sessions[offered.session_id]
    assert offered.checkout_url == session["url"]
    assert (session["amount_total"], session["currency"], session["mode"]) == (50, "usd", "payment")
    assert session["client_reference_id"] == session["metadata"]["user_id"] == anna.user_id
    assert session["metadata"]["attempt_id"]
    assert session["intent_metadata"] == session["metadata"]
    base = models.config.base_url
    assert session["success_url"] == f"{base}/payment-success?session_id={{CHECKOUT_SESSION_ID}}"
    assert session["cancel_url"] == f"{base}/paywall?cancelled=1"


@pytest.mark.parametrize("fault", ["500", "503", "429", "reset", "lost", "garbage"])
async def test_a_retry_has_the_same_idempotency_key(models, stripe, anna, fault) -> None:
    stripe.faults.extend([fault] * (1 if fault in ("429", "garbage") else 1 + stripe_api.RETRIES))
    with pytest.raises(StripeUnavailable):
        await models.checkouts.create_checkout(anna.user_id)
    offered = await models.checkouts.create_checkout(anna.user_id)
    assert list(stripe.sessions) == [offered.session_id]
    assert len({key for _, _, key in stripe.asked}) == 1


async def test_a_request_to_stripe_times_out(models, stripe, anna, monkeypatch) -> None:
    assert stripe_api.TOTAL_SECONDS < 10
    monkeypatch.setattr(stripe_api, "TOTAL_SECONDS", 0.2)
    stripe.faults.append("hang")
    with pytest.raises(StripeUnavailable):
        await models.checkouts.create_checkout(anna.user_id)
    monkeypatch.undo()
    await models.checkouts.create_checkout(anna.user_id)
    assert len({key for _, _, key in stripe.asked}) == 1


async def test_a_failure_that_stripe_keeps_does_not_last(models, stripe, anna) -> None:
    stripe.faults.append("kept 500")
    with pytest.raises(StripeRefused):
        await models.checkouts.create_checkout(anna.user_id)
    await models.checkouts.create_checkout(anna.user_id)
    assert len(stripe.sessions) == 1
    assert len({key for _, _, key in stripe.asked}) == 2


@pytest.mark.parametrize("changes", [{"stripe_secret_key": "sk_test_another"}, {"price_cents": 49}])
async def test_configuration_errors_are_logged_and_reported(make_site, person, caplog, changes) -> None:
    site = await make_site(**changes)
    signed_up = await site.models.sign_up.guest("Anna", "female", adult=True, invite_code=None, address="::1")
    with caplog.at_level(logging.WARNING), pytest.raises(StripeRefused):
        await site.models.checkouts.create_checkout(signed_up.member.user_id)
    assert "Stripe rejected" in caplog.text
    assert KEY[:12] not in caplog.text
