"""The form of Stripe's keys and of statement suffixes."""

from __future__ import annotations

import pytest

from models.settings import stripe_values
from tests.support.settings import faults_of


@pytest.mark.parametrize("suffix", ["NAPALM SKY", "sky-1.2", "AB"])
def test_a_statement_suffix(suffix) -> None:
    assert stripe_values.statement_suffix(suffix) == suffix
    assert faults_of(STATEMENT_SUFFIX=suffix) == []


@pytest.mark.parametrize("suffix", ["A", "12345", "SKY*", "A<SKY>", "a" * 19, "ski\u00e9", 'sky"'])
def test_a_suffix_that_stripe_refuses(suffix) -> None:
    (fault,) = faults_of(STATEMENT_SUFFIX=suffix)
    assert fault.startswith("STATEMENT_SUFFIX must have 2 to 18")


def test_payment_methods_and_tax() -> None:
    assert faults_of(PAYMENT_METHODS="all", STRIPE_TAX="true") == []
    assert "PAYMENT_METHODS" in faults_of(PAYMENT_METHODS="card")[0]
