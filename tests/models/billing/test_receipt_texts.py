"""The text of a receipt. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from models.billing.receipt_texts import receipt_text, seller_lines
from models.billing.receipts import Receipt
from models.currencies import tax_in
from models.settings.config import Config

RECEIPT = Receipt(
    payment_id="a", number=12, paid_at=datetime(2026, 5, 1, 12, tzinfo=UTC), amount_cents=119,
    seller="Sky GmbH\nBerlin",
    tax_cents=19, tax_percent=Decimal("19.00"),
    currency="eur", kind="live", stripe_id="pi_0123456789", refunded_cents=0, is_refunded=False,
    is_in_review=False, is_disputed=False, is_lost=False, is_second=False, is_beside_code=False,
    has_invited=False,
)  # fmt: skip


def test_a_complete_receipt() -> None:
    config = Config(seller_name="Another", seller_tax_percent=Decimal("20"))
    text = receipt_text(RECEIPT, config, with_withdrawal=True)
    assert "Another" not in text
    for part in (
        "Sky GmbH\nBerlin\n",
        "Receipt 000012\n",
        "2026-05-01 12:00 UTC",
        "€1.19",
        "Included tax (19 %): €0.19",
    ):
        assert part in text
    assert "You agreed" in text
    assert "You agreed" not in receipt_text(RECEIPT, config, with_withdrawal=False)


def test_the_seller_is_the_operator_by_default() -> None:
    assert Config().seller_lines == []
    assert Config(operator_name="Ada").seller_lines == ["Ada"]
    assert Config(operator_name="Ada", seller_name="Sky").seller_lines == ["Sky"]


def test_a_payment_of_an_earlier_version_names_the_seller_of_today() -> None:
    old = msgspec.structs.replace(RECEIPT, seller=None)
    assert seller_lines(old, Config(seller_name="Another")) == ["Another"]


@pytest.mark.parametrize(
    ("cents", "percent", "tax"),
    [(119, "19", 19), (50, "19", 8), (100, "8.1", 7), (1, "19", 0), (100, "0", 0)],
)
def test_included_tax(cents, percent, tax) -> None:
    assert tax_in(cents, Decimal(percent)) == tax
