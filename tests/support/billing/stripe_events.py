"""Stripe's events: written, signed and sent as Stripe does; duplicated, late, reordered and forged by
tests.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Sequence
from typing import Any

from models.wiring import Models
from tests.support.clients import Answer, Client

# The checkout session of an event that pays for attempt `a` of user `u`.
SESSION = {
    "id": "cs_1",
    "client_reference_id": "u",
    "metadata": {"user_id": "u", "attempt_id": "a"},
    "amount_total": 50,
    "currency": "usd",
    "mode": "payment",
    "livemode": False,
    "status": "complete",
    "payment_status": "paid",
}
SECRET = "whsec_standin0123456789abcdef"


def object_event(kind: str, about: dict[str, Any], *, livemode: bool = False, at: int | None = None) -> bytes:
    """An event about any object, to be signed; `at` is Stripe's clock."""
    body = {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()) if at is None else at,
        "type": kind,
        "livemode": livemode,
        "data": {"object": about},
    }
    return json.dumps(body, indent=2).encode()


def event(kind: str, session: dict[str, Any], *, livemode: bool = False, **changes: Any) -> bytes:
    """An event about a checkout session, with the given differences."""
    return object_event(f"checkout.session.{kind}", session | changes, livemode=livemode)


def signature(payload: bytes, *secrets: str, age: int = 0) -> str:
    """`t=…,v1=…[,v1=…]`: one for each secret during a rotation."""
    at = int(time.time()) - age
    signed = [hmac.new(s.encode(), b"%d." % at + payload, hashlib.sha256) for s in secrets or (SECRET,)]
    return ",".join([f"t={at}", *(f"v1={mac.hexdigest()}" for mac in signed)])


async def deliver(client: Client, payload: bytes, header: str | None = None) -> Answer:
    """Sends it as Stripe does: a foreign sender without a session."""
    headers = {"Content-Type": "application/json; charset=utf-8", "Accept": "*/*; q=0.5, application/xml"}
    headers["Stripe-Signature"] = signature(payload) if header is None else header
    return await client.send("POST", "/payment/webhook", body=payload, headers=headers)


async def deliver_at_once(clients: Sequence[Client], payloads: Sequence[bytes], times: int = 1) -> set[int]:
    """Sends all events concurrently, `times` times over, to the processes in turn; returns the statuses."""
    sent = [deliver(clients[n % len(clients)], payload) for n, payload in enumerate(list(payloads) * times)]
    return {answer.status for answer in await asyncio.gather(*sent)}


async def receive(models: Models, payload: bytes, header: str | None = None) -> str:
    """Delivers to the models, without a site."""
    return await models.stripe_webhook.receive(payload, signature(payload) if header is None else header)
