"""The data of a small Stripe, as Stripe's own objects.

Rejects malformed and unknown parameters and amounts under the minimum. `pay`, `expire`, `give_back`, `fail`,
`dispute` and `warn` are actions of customers and banks; each returns the object of Stripe's event.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from stripe.params import RefundCreateParams
from stripe.params.checkout import SessionCreateParams

from models.currencies import STRIPE_MINIMUM

KEY = "sk_test_standin0123456789"
NEEDED = ("mode", "success_url", "client_reference_id", "line_items[0][quantity]")
Object = dict[str, Any]


class Books:
    """`sessions` by id; `charges` and `disputes` by their payment."""

    def __init__(self) -> None:
        self.sessions: dict[str, Object] = {}
        self.charges: dict[str, Object] = {}
        self.refunds: dict[str, Object] = {}
        self.disputes: dict[str, Object] = {}
        self.endpoints: dict[str, Object] = {}
        self.api_base = ""
        self.fails_refunds = False

    def create(self, fields: dict[str, str]) -> tuple[int, Object]:
        """(status, body), as Stripe would answer."""
        price = "line_items[0][price_data]"
        try:
            amount, currency = int(fields[f"{price}[unit_amount]"]), fields[f"{price}[currency]"]
            missing = [name for name in NEEDED if not fields.get(name)]
        except (KeyError, ValueError):
            return 400, failure("invalid_request_error", "parameter_missing")
        unknown = {name.split("[")[0] for name in fields} - set(SessionCreateParams.__annotations__)
        if unknown:
            return 400, failure("invalid_request_error", "parameter_unknown")
        if missing or fields["mode"] != "payment":
            return 400, failure("invalid_request_error", "parameter_missing")
        if amount < STRIPE_MINIMUM[currency]:
            return 400, failure("invalid_request_error", "amount_too_small")
        session = new_session(fields, amount, currency, self.api_base)
        self.sessions[session["id"]] = session
        return 200, session

    def add_endpoint(self, url: str, events: list[str] | None = None) -> None:
        """The operator adds a webhook endpoint in the dashboard."""
        one = {"id": "we_1", "object": "webhook_endpoint", "url": url, "status": "enabled", "created": 1}
        self.endpoints["we_1"] = one | {"enabled_events": events or ["*"]}

    # -- what happens out there --

    def decline(self, session_id: str) -> Object:
        """The customer's card is declined; returns the failed charge. The session stays open."""
        charge = new_charge(self.sessions[session_id]) | {"status": "failed", "payment_intent": "pi_declined"}
        return self.charges.setdefault(charge["id"], charge)

    def pay(self, session_id: str) -> Object:
        """The customer pays by card; returns the session."""
        session = self._change(session_id, status="complete", payment_status="paid")
        self.charges.setdefault(session["payment_intent"], new_charge(session))
        return session

    def pay_later(self, session_id: str) -> Object:
        """The customer chooses a payment method that takes days."""
        return self._change(session_id, status="complete", payment_status="unpaid")

    def expire(self, session_id: str) -> Object:
        return self._change(session_id, status="expired", payment_status="unpaid")

    def intent(self, session_id: str) -> Object:
        """The payment of a paid session."""
        session = self.sessions[session_id]
        return {
            "id": session["payment_intent"],
            "object": "payment_intent",
            "amount": session["amount_total"],
            "amount_received": session["amount_total"],
            "currency": session["currency"],
            "metadata": session["intent_metadata"],
            "livemode": False,
            "status": "succeeded",
        }

    def give_back(self, session_id: str, cents: int | None = None) -> Object:
        """Refunds the rest, or a part, in Stripe's dashboard; returns the charge."""
        charge = self.charges[self.sessions[session_id]["payment_intent"]]
        self._refund(charge, charge["amount"] - charge["amount_refunded"] if cents is None else cents, {})
        return dict(charge)

    def _refund(self, charge: Object, cents: int, metadata: dict[str, str]) -> Object:
        refund = new_refund(charge, cents, metadata)
        self.refunds[refund["id"]] = refund
        back = charge["amount_refunded"] + cents
        charge |= {"amount_refunded": back, "refunded": back == charge["amount"]}
        return refund

    def refund_of(self, session_id: str) -> Object:
        """The newest refund."""
        payment = self.sessions[session_id]["payment_intent"]
        return dict([one for one in self.refunds.values() if one["payment_intent"] == payment][-1])

    def fail(self, refund_id: str) -> Object:
        """The bank returns the money of a refund to us; returns the refund."""
        refund = self.refunds[refund_id]
        refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
        charge = self.charges[refund["payment_intent"]]
        charge |= {"amount_refunded": charge["amount_refunded"] - refund["amount"], "refunded": False}
        return dict(refund)

    def warn(self, session_id: str) -> Object:
        """The card's issuer warns of fraud."""
        charge = self.charges[self.sessions[session_id]["payment_intent"]]
        return {
            "id": f"issfr_{uuid.uuid4().hex}",
            "object": "radar.early_fraud_warning",
            "actionable": True,
            "charge": charge["id"],
            "created": int(time.time()),
            "fraud_type": "made_with_stolen_card",
            "livemode": False,
            "payment_intent": charge["payment_intent"],
        }

    def dispute(self, session_id: str, status: str = "needs_response") -> Object:
        """The customer's bank disputes it, or has decided."""
        payment = self.sessions[session_id]["payment_intent"]
        dispute = self.disputes.setdefault(payment, new_dispute(self.charges[payment]))
        dispute["status"] = status
        self.charges[payment]["disputed"] = True
        return dict(dispute)

    def _change(self, session_id: str, **changes: str) -> Object:
        session = self.sessions[session_id]
        session |= changes | {"payment_intent": session["payment_intent"] or f"pi_{uuid.uuid4().hex}"}
        return session

    # -- what it is asked --

    def refund(self, fields: dict[str, str]) -> tuple[int, Object]:
        charge = self.charges.get(fields.get("payment_intent", ""))
        if charge is None:
            return 404, failure("invalid_request_error", "resource_missing")
        if charge["refunded"]:
            return 400, failure("invalid_request_error", "charge_already_refunded")
        if {name.split("[")[0] for name in fields} - set(RefundCreateParams.__annotations__):
            return 400, failure("invalid_request_error", "parameter_unknown")
        cents = charge["amount"] - charge["amount_refunded"]
        refund = self._refund(charge, cents, named(fields, "metadata["))
        return 200, self.fail(refund["id"]) if self.fails_refunds else dict(refund)

    def listed(self, kind: str, fields: dict[str, str]) -> Object:
        """The newest first, one page at a time."""
        held: dict[str, dict[str, Object]] = {
            "checkout/sessions": self.sessions, "charges": self.charges, "disputes": self.disputes,
            "refunds": self.refunds, "webhook_endpoints": self.endpoints,
        }  # fmt: skip
        since, limit = int(fields.get("created[gte]", 0)), int(fields.get("limit", 10))
        payment = fields.get("payment_intent")
        found = [one for one in reversed(held[kind].values()) if one["created"] >= since]
        found = [one for one in found if payment in (None, one.get("payment_intent"))]
        ids = [one["id"] for one in found]
        start = ids.index(fields["starting_after"]) + 1 if "starting_after" in fields else 0
        page = found[start : start + limit]
        more = len(found) > start + limit
        return {"object": "list", "url": f"/v1/{kind}", "data": page, "has_more": more}


def named(fields: dict[str, str], prefix: str) -> dict[str, str]:
    """The part after `prefix`, without its bracket."""
    start = len(prefix)
    return {name[start:-1]: value for name, value in fields.items() if name.startswith(prefix)}


def failure(kind: str, code: str | None) -> Object:
    return {"error": {"type": kind, "code": code, "message": f"Refused with {KEY[:12]}..."}}


def new_session(fields: dict[str, str], amount: int, currency: str, base: str) -> Object:
    session_id = f"cs_test_{uuid.uuid4().hex}"
    return {
        "id": session_id,
        "object": "checkout.session",
        "created": int(time.time()),
        "url": f"{base}/pay/{session_id}",
        "amount_total": amount,
        "currency": currency,
        "client_reference_id": fields["client_reference_id"],
        "metadata": named(fields, "metadata["),
        "intent_metadata": named(fields, "payment_intent_data[metadata]["),
        "success_url": fields["success_url"],
        "cancel_url": fields.get("cancel_url"),
        "mode": "payment",
        "livemode": False,
        "status": "open",
        "payment_status": "unpaid",
        "payment_intent": None,
    }


def new_charge(session: Object) -> Object:
    return {
        "id": f"ch_{uuid.uuid4().hex}",
        "object": "charge",
        "created": int(time.time()),
        "payment_intent": session["payment_intent"],
        "amount": session["amount_total"],
        "amount_refunded": 0,
        "refunded": False,
        "status": "succeeded",
        "disputed": False,
        "currency": session["currency"],
        "metadata": session["intent_metadata"],
        "livemode": False,
    }


def new_refund(charge: Object, cents: int, metadata: dict[str, str]) -> Object:
    return {
        "id": f"re_{uuid.uuid4().hex}",
        "object": "refund",
        "created": int(time.time()),
        "amount": cents,
        "currency": charge["currency"],
        "status": "succeeded",
        "payment_intent": charge["payment_intent"],
        "charge": charge["id"],
        "metadata": metadata,
    }


def new_dispute(charge: Object) -> Object:
    return {
        "id": f"du_{uuid.uuid4().hex}",
        "object": "dispute",
        "created": int(time.time()),
        "payment_intent": charge["payment_intent"],
        "charge": charge["id"],
        "amount": charge["amount"],
        "currency": charge["currency"],
        "metadata": {},
        "livemode": False,
        "status": "needs_response",
    }
