"""The parameters of a Stripe Checkout Session (docs.stripe.com/api/checkout/sessions/create). Pure.

One fixed price, in the currency of the settings alone (no adaptive pricing). By default only payment methods
that are settled at once are offered, of those that are switched on in Stripe's dashboard.
"""

from __future__ import annotations

from models.billing.provider.stripe_types import Checkout
from models.settings.config import Config

# Methods whose result is known when the buyer returns (docs.stripe.com/payments/payment-methods). All others
# (bank debits, vouchers, bank transfers) take days.
IMMEDIATE = (
    "affirm", "afterpay_clearpay", "alipay", "alma", "amazon_pay", "bancontact", "billie", "bizum", "blik",
    "card", "cashapp", "eps", "fpx", "giropay", "grabpay", "ideal", "kakao_pay", "klarna", "kr_card", "link",
    "mb_way", "mobilepay", "naver_pay", "p24", "payco", "paynow", "paypal", "paypay", "pix", "promptpay",
    "revolut_pay", "samsung_pay", "satispay", "scalapay", "sequra", "sunbit", "swish", "twint", "upi",
    "wechat_pay", "zip",
)  # fmt: skip


def session_params(checkout: Checkout, config: Config) -> dict[str, object]:
    """Price, user and return URLs. `payment_intent_data` carries the same metadata as the session."""
    metadata = {"user_id": checkout.user_id, "attempt_id": checkout.attempt_id}
    params: dict[str, object] = {
        "mode": "payment",
        "line_items": [{"price_data": _price(checkout, config), "quantity": 1}],
        "client_reference_id": checkout.user_id,
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata} | _statement(config),
        "adaptive_pricing": {"enabled": False},
        "success_url": f"{config.base_url}/payment-success?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{config.base_url}/paywall?cancelled=1",
    }
    if config.payment_methods == "immediate":
        params["allowed_payment_method_types"] = list(IMMEDIATE)
    if config.stripe_tax:
        params["automatic_tax"] = {"enabled": True}
    return params


def _price(checkout: Checkout, config: Config) -> dict[str, object]:
    """The price includes the tax: it is the one that the pages show."""
    price: dict[str, object] = {
        "currency": checkout.currency,
        "unit_amount": checkout.amount_cents,
        "product_data": {"name": "Napalm Sky: access, once"},
    }
    return price | ({"tax_behavior": "inclusive"} if config.stripe_tax else {})


def _statement(config: Config) -> dict[str, object]:
    suffix = config.statement_suffix
    return {"statement_descriptor_suffix": suffix} if suffix else {}
