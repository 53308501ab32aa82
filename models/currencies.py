"""Currencies: amounts as text, included tax, and Stripe's minimum charges. Pure."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

# Stripe's minimum charge per currency, in its smallest unit (docs.stripe.com/currencies#minimum-and-maximum-
# charge-amounts).
STRIPE_MINIMUM = {
    "usd": 50, "aed": 200, "aud": 50, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50,
    "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300,
    "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip
ZERO_DECIMAL = frozenset({"jpy"})
SIGNS = {"usd": "$", "eur": "€", "gbp": "£"}


def amount_text(cents: int, currency: str) -> str:
    """`$0.01`, `€0.50`, `1.00 PLN`, `50 JPY`; `cents` is the currency's smallest unit."""
    if currency in ZERO_DECIMAL:
        return f"{cents} {currency.upper()}"
    amount = f"{cents // 100}.{cents % 100:02d}"
    sign = SIGNS.get(currency)
    return f"{sign}{amount}" if sign else f"{amount} {currency.upper()}"


def tax_in(cents: int, percent: Decimal) -> int:
    """The tax that a price includes, rounded to the smallest unit."""
    part = Decimal(cents) * percent / (100 + percent)
    return int(part.quantize(Decimal(1), rounding=ROUND_HALF_UP))
