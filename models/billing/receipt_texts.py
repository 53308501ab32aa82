"""The seller on a receipt, and its text. Pure."""

from __future__ import annotations

from datetime import UTC

from models.billing.receipts import Receipt
from models.billing.withdrawals import WORDS
from models.currencies import amount_text
from models.settings.config import Config

WHAT = "Napalm Sky: access, once"


def seller_lines(config: Config) -> list[str]:
    """Name, address and tax number, as far as they are set."""
    name = config.seller_name or config.operator_name
    tax_id = f"Tax number: {config.seller_tax_id}" if config.seller_tax_id else None
    return [line for line in (name, config.seller_address, tax_id) if line]


def receipt_text(receipt: Receipt, config: Config, *, with_withdrawal: bool) -> str:
    """The receipt as plain text, for an e-mail or the evidence of a dispute."""
    lines = [
        f"Receipt {receipt.number_text}",
        f"Date: {receipt.paid_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        "",
        *seller_lines(config),
        "",
        f"{WHAT}: {amount_text(receipt.amount_cents, receipt.currency)}",
    ]
    if receipt.tax_text:
        lines.append(f"Included tax{_percent(config)}: {receipt.tax_text}")
    lines += ["", f"Payment: {'test' if receipt.kind == 'page' else 'Stripe'} {receipt.short_id}"]
    if with_withdrawal:
        lines += ["", f'You agreed: "{WORDS}"', f"To withdraw: {config.base_url}/withdrawal"]
    return "\n".join(lines) + "\n"


def _percent(config: Config) -> str:
    return f" ({config.seller_tax_percent} %)" if config.seller_tax_percent is not None else ""
