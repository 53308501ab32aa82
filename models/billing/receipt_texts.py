"""The text of a receipt. Pure."""

from __future__ import annotations

from datetime import UTC

from models.billing.receipts import Receipt
from models.billing.withdrawals import WORDS
from models.currencies import amount_text
from models.settings.config import Config

WHAT = "Napalm Sky: access, once"


def receipt_text(receipt: Receipt, config: Config, *, with_withdrawal: bool) -> str:
    """The receipt as plain text, for an e-mail or the evidence of a dispute."""
    lines = [
        f"Receipt {receipt.number_text}",
        f"Date: {receipt.paid_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        "",
        *seller_lines(receipt, config),
        "",
        f"{WHAT}: {amount_text(receipt.amount_cents, receipt.currency)}",
    ]
    if receipt.tax_text:
        percent = "" if receipt.tax_percent is None else f" ({receipt.tax_percent.normalize():f} %)"
        lines.append(f"Included tax{percent}: {receipt.tax_text}")
    lines += ["", f"Payment: {'test' if receipt.kind == 'page' else 'Stripe'} {receipt.short_id}"]
    if with_withdrawal:
        lines += ["", f'You agreed: "{WORDS}"', f"To withdraw: {config.base_url}/withdrawal"]
    return "\n".join(lines) + "\n"


def seller_lines(receipt: Receipt, config: Config) -> list[str]:
    """The seller at the time of the payment; for payments of earlier versions of the site, today's."""
    return config.seller_lines if receipt.seller is None else receipt.seller.splitlines()
