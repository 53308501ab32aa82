"""The parameters of a Checkout Session, compared with the types of the installed library. Pure."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from stripe.params.checkout import SessionCreateParams

from models.billing.provider.checkout_session import IMMEDIATE, session_params
from models.settings.config import Config
from tests.models.billing.provider.test_stripe_types import CHECKOUT

# docs.stripe.com/payments/payment-methods: bank debits, vouchers and bank transfers.
DELAYED = {
    "acss_debit", "au_becs_debit", "bacs_debit", "boleto", "crypto", "customer_balance", "konbini",
    "multibanco", "nz_bank_account", "oxxo", "pay_by_bank", "payto", "sepa_debit", "sofort",
    "us_bank_account",
}  # fmt: skip


def known_methods() -> set[str]:
    (hint,) = get_args(SessionCreateParams.__annotations__["allowed_payment_method_types"])
    literal, _text = get_args(get_args(hint)[0])
    return set(get_args(literal))


def test_each_payment_method_is_immediate_or_delayed() -> None:
    assert set(IMMEDIATE) | DELAYED == known_methods()
    assert not set(IMMEDIATE) & DELAYED


def test_only_immediate_methods_by_default_and_no_other_currency() -> None:
    params: Any = session_params(CHECKOUT, Config())
    assert params["allowed_payment_method_types"] == list(IMMEDIATE)
    assert params["adaptive_pricing"] == {"enabled": False}
    assert "automatic_tax" not in params
    assert "statement_descriptor_suffix" not in params["payment_intent_data"]
    assert set(params) <= set(SessionCreateParams.__annotations__)


def test_the_settings_of_payments() -> None:
    config = Config(payment_methods="all", statement_suffix="NAPALM SKY", stripe_tax=True)
    params: Any = session_params(CHECKOUT, config)
    assert "allowed_payment_method_types" not in params
    assert params["automatic_tax"] == {"enabled": True}
    assert params["line_items"][0]["price_data"]["tax_behavior"] == "inclusive"
    assert params["payment_intent_data"]["statement_descriptor_suffix"] == "NAPALM SKY"
    assert set(params) <= set(SessionCreateParams.__annotations__)


@pytest.mark.parametrize("methods", ["immediate", "all"])
def test_payment_and_session_carry_the_same_metadata(methods) -> None:
    params: Any = session_params(CHECKOUT, Config(payment_methods=methods))
    assert params["payment_intent_data"]["metadata"] == params["metadata"]
