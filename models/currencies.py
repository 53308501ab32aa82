"""Amounts of money as text. Pure."""

from __future__ import annotations

from models.settings.limits import ZERO_DECIMAL

SIGNS = {"usd": "$", "eur": "€", "gbp": "£"}


def amount_text(cents: int, currency: str) -> str:
    """`$0.01`, `€0.50`, `1.00 PLN`, `50 JPY`; `cents` is the currency's smallest unit."""
    if currency in ZERO_DECIMAL:
        return f"{cents} {currency.upper()}"
    amount = f"{cents // 100}.{cents % 100:02d}"
    sign = SIGNS.get(currency)
    return f"{sign}{amount}" if sign else f"{amount} {currency.upper()}"
