"""Payment settings: faults are reported at the start, all at once, and never by their value."""

from __future__ import annotations

import pytest

from models.settings.config import ConfigError
from models.settings.environment import read_config

KEY, SECRET = "sk_test_0123456789abcdef", "whsec_0123456789abcdef"
PAIR = {"STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRET": SECRET, "PRICE_CENTS": "50"}
PUBLIC = {"BASE_URL": "https://sky.example"}
LIVE = {"STRIPE_SECRET_KEY": "sk_live_0123456789abcdef"}
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "0123456789abcdef" * 2,
    "OPERATOR_NAME": "Ada",
    "OPERATOR_CONTACT": "ada@sky.example",
}


def faults(**settings: str) -> list[str]:
    """The names of the invalid settings."""
    try:
        read_config(settings)
    except ConfigError as error:
        text = str(error)
        assert not any(value in text for name, value in settings.items() if "STRIPE" in name)
        return [fault.split(" ")[0] for fault in error.faults]
    return []


GOOD = {
    "nothing at all": {},
    "a pair": PAIR,
    "a restricted key": PAIR | {"STRIPE_SECRET_KEY": "rk_live_0123456789abcdef"},
    "two secrets while one is replaced": PAIR | {"STRIPE_WEBHOOK_SECRET": f"{SECRET}, whsec_another0123456"},
    "production with a pair": PAIR | PUBLIC | PRODUCTION | LIVE,
    "a trial on a public address": PUBLIC | {"ALLOW_TEST_CHECKOUT": "true"},
    "the least in yen": PAIR | {"CURRENCY": "jpy"},
    "upper case": PAIR | {"CURRENCY": "EUR"},
    "one cent without Stripe": {"PRICE_CENTS": "1"},
}
BAD = {
    "a key alone": ({"STRIPE_SECRET_KEY": KEY, "PRICE_CENTS": "50"}, ["STRIPE_WEBHOOK_SECRET"]),
    "a secret alone": ({"STRIPE_WEBHOOK_SECRET": SECRET}, ["STRIPE_SECRET_KEY"]),
    "the key as the secret": (PAIR | {"STRIPE_WEBHOOK_SECRET": KEY}, ["STRIPE_WEBHOOK_SECRET"]),
    "the secret as the key": (PAIR | {"STRIPE_SECRET_KEY": SECRET}, ["STRIPE_SECRET_KEY"]),
    "a publishable key": (PAIR | {"STRIPE_SECRET_KEY": "pk_live_0123456789abcdef"}, ["STRIPE_SECRET_KEY"]),
    "no whsec_": (PAIR | {"STRIPE_WEBHOOK_SECRET": "0123456789abcdef"}, ["STRIPE_WEBHOOK_SECRET"]),
    "one of two lacks whsec_": (PAIR | {"STRIPE_WEBHOOK_SECRET": f"{SECRET},x"}, ["STRIPE_WEBHOOK_SECRET"]),
    "under the minimum": (PAIR | {"PRICE_CENTS": "49"}, ["PRICE_CENTS"]),
    "under the minimum of another": (PAIR | {"PRICE_CENTS": "199", "CURRENCY": "pln"}, ["PRICE_CENTS"]),
    "the default price with a key": ({**PAIR, "PRICE_CENTS": ""}, ["PRICE_CENTS"]),
    "an unknown currency": (PAIR | {"CURRENCY": "xau"}, ["CURRENCY"]),
    "no price": (PAIR | {"PRICE_CENTS": "0"}, ["PRICE_CENTS", "PRICE_CENTS"]),
    "plain http in production": (
        PAIR | PRODUCTION | LIVE | {"BASE_URL": "http://sky.example"},
        ["BASE_URL"],
    ),
    "production without a key": (PUBLIC | PRODUCTION, ["STRIPE_SECRET_KEY"]),
    "production with a test checkout": (
        PUBLIC | PRODUCTION | {"ALLOW_TEST_CHECKOUT": "true"},
        ["STRIPE_SECRET_KEY"],
    ),
    "production with a test key": (
        PAIR | PUBLIC | PRODUCTION | {"STRIPE_SECRET_KEY": "sk_test_0123456789abcdef"},
        ["STRIPE_SECRET_KEY"],
    ),
    "production without an operator or a secret": (
        PAIR | PUBLIC | LIVE | {"ENVIRONMENT": "production"},
        ["OPERATOR_NAME", "OPERATOR_CONTACT", "SECRET_KEY"],
    ),
    "a public test checkout": (PUBLIC, ["STRIPE_SECRET_KEY"]),
    "a foreign API in the plain": (PAIR | {"STRIPE_API_BASE": "http://stripe.example"}, ["STRIPE_API_BASE"]),
    "several at once": (
        PAIR | {"STRIPE_WEBHOOK_SECRET": KEY, "CURRENCY": "xau", "STRIPE_API_BASE": "ftp://x"},
        ["STRIPE_API_BASE", "STRIPE_WEBHOOK_SECRET", "CURRENCY"],
    ),
}


@pytest.mark.parametrize("settings", GOOD.values(), ids=list(GOOD))
def test_valid_combinations(settings) -> None:
    assert faults(**settings) == []


@pytest.mark.parametrize(("settings", "named"), BAD.values(), ids=list(BAD))
def test_invalid_combinations(settings, named) -> None:
    assert set(faults(**settings)) >= set(named)
    assert set(faults(**settings)) - set(named) <= {"STRIPE_WEBHOOK_SECRET", "STRIPE_SECRET_KEY"}


def test_the_test_checkout_is_never_available_with_a_key() -> None:
    assert read_config({}).has_test_checkout
    assert not read_config(PAIR).has_test_checkout
    assert not read_config(PAIR | {"ALLOW_TEST_CHECKOUT": "true"}).has_test_checkout
