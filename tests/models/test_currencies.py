"""Money for people to read."""

from __future__ import annotations

import pytest

from models.currencies import amount_text


@pytest.mark.parametrize(
    ("cents", "currency", "text"),
    [
        (1, "usd", "$0.01"),
        (1250, "eur", "€12.50"),
        (30, "gbp", "£0.30"),
        (205, "pln", "2.05 PLN"),
        (50, "jpy", "50 JPY"),
    ],
)
def test_as_people_write_it(cents, currency, text) -> None:
    assert amount_text(cents, currency) == text
