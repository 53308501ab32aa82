"""A small Stripe on loopback, at the level of HTTP.

Refuses what Stripe refuses: no or another key, malformed parameters, amounts under the minimum, one
idempotency key for two different requests. Keeps idempotency keys, failures included. Signs events. Fails as
it is told: `stripe.faults.append("hang")`, one for each request to come.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
import uuid
from collections import deque
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from models.config import STRIPE_MINIMUM
from models.wiring import Models
from tests.clients import Answer, Client

KEY = "sk_test_standin0123456789"
SECRET = "whsec_standin0123456789abcdef"
NEEDED = ("mode", "success_url", "client_reference_id", "line_items[0][quantity]")


class StripeStandIn:
    """`sessions` by id, `asked` every request as (method, path, idempotency key)."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, Any]] = {}
        self.kept: dict[str, tuple[bytes, int, dict[str, Any]]] = {}
        self.asked: list[tuple[str, str, str | None]] = []
        self.faults: deque[str] = deque()
        self.let_go = asyncio.Event()
        routes = [(r"/v1/checkout/sessions(?:/(\w+))?", SessionsHandler, {"stripe": self})]
        self._server = HTTPServer(Application(routes))
        socket, port = bind_unused_port()
        self._server.add_socket(socket)
        self.api_base = f"http://127.0.0.1:{port}"

    async def close(self) -> None:
        self.let_go.set()
        self._server.stop()
        await self._server.close_all_connections()

    @property
    def settings(self) -> dict[str, Any]:
        """What `make_site` needs to pay here."""
        return {
            "stripe_secret_key": KEY,
            "stripe_webhook_secrets": (SECRET,),
            "stripe_api_base": self.api_base,
            "price_cents": 50,
        }

    def create(self, fields: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """(status, body), as Stripe would answer."""
        price = "line_items[0][price_data]"
        try:
            amount, currency = int(fields[f"{price}[unit_amount]"]), fields[f"{price}[currency]"]
            missing = [name for name in NEEDED if not fields.get(name)]
        except (KeyError, ValueError):
            return 400, failure("invalid_request_error", "parameter_missing")
        if missing or fields["mode"] != "payment":
            return 400, failure("invalid_request_error", "parameter_missing")
        if amount < STRIPE_MINIMUM[currency]:
            return 400, failure("invalid_request_error", "amount_too_small")
        session = new_session(fields, amount, currency, self.api_base)
        self.sessions[session["id"]] = session
        return 200, session

    def pay(self, session_id: str) -> dict[str, Any]:
        """The customer has paid by card."""
        return self._change(session_id, status="complete", payment_status="paid")

    def pay_later(self, session_id: str) -> dict[str, Any]:
        """The customer has chosen a way to pay that takes days."""
        return self._change(session_id, status="complete", payment_status="unpaid")

    def expire(self, session_id: str) -> dict[str, Any]:
        return self._change(session_id, status="expired", payment_status="unpaid")

    def _change(self, session_id: str, **changes: str) -> dict[str, Any]:
        session = self.sessions[session_id]
        session |= changes | {"payment_intent": session["payment_intent"] or f"pi_{uuid.uuid4().hex}"}
        return session


def running(io_loop: IOLoop) -> Iterator[StripeStandIn]:
    """The body of a fixture."""

    async def start() -> StripeStandIn:
        return StripeStandIn()

    stripe = io_loop.run_sync(start)
    yield stripe
    io_loop.run_sync(stripe.close)


class SessionsHandler(RequestHandler):
    def initialize(self, stripe: StripeStandIn) -> None:
        self.stripe = stripe

    async def prepare(self) -> None:
        self.key = self.request.headers.get("Idempotency-Key")
        self.stripe.asked.append((str(self.request.method), self.request.path, self.key))
        self.set_header("Request-Id", f"req_{len(self.stripe.asked)}")
        if self.request.headers.get("Authorization") != f"Bearer {KEY}":
            self.answer(401, failure("authentication_error", "api_key_invalid"))

    async def get(self, session_id: str) -> None:
        if await self.goes_wrong():
            return
        session = self.stripe.sessions.get(session_id)
        missing = failure("invalid_request_error", "resource_missing")
        self.answer(200 if session else 404, session or missing)

    async def post(self, _nothing: None) -> None:
        body, key = self.request.body, self.key or uuid.uuid4().hex
        if "lost" in list(self.stripe.faults)[:1] and key not in self.stripe.kept:
            self.stripe.kept[key] = (body, *self.stripe.create(fields_of(body)))
        if await self.goes_wrong():
            return None
        if key in self.stripe.kept:
            return self.replay(body, key)
        status, answer = self.stripe.create(fields_of(body))
        if status < 400:
            self.stripe.kept[key] = (body, status, answer)
        return self.answer(status, answer)

    def replay(self, body: bytes, key: str) -> None:
        first, status, answer = self.stripe.kept[key]
        if first != body:
            return self.answer(400, failure("idempotency_error", None))
        self.set_header("Idempotent-Replayed", "true")
        return self.answer(status, answer)

    async def goes_wrong(self) -> bool:
        """The next fault: a status, `kept 500` (under its key), `hang`, `reset`, `lost`, `garbage`."""
        fault = self.stripe.faults.popleft() if self.stripe.faults else None
        if fault is None:
            return False
        if fault == "hang":
            await self.stripe.let_go.wait()
        elif fault == "garbage":
            self.finish(b"<html>not today</html>")
        elif fault == "kept 500":
            kept = (500, failure("api_error", None))
            self.stripe.kept[self.key or ""] = (self.request.body, *kept)
            self.answer(*kept)
        elif fault.isdigit():
            self.answer(int(fault), failure("api_error", None))
        else:
            self.request.connection.stream.close()  # type: ignore[attr-defined]
        return True

    def answer(self, status: int, body: dict[str, Any]) -> None:
        self.set_status(status)
        self.finish(body)


def fields_of(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode(), keep_blank_values=True))


def named(fields: dict[str, str], prefix: str) -> dict[str, str]:
    """What stands behind `prefix`, without its bracket."""
    start = len(prefix)
    return {name[start:-1]: value for name, value in fields.items() if name.startswith(prefix)}


def failure(kind: str, code: str | None) -> dict[str, Any]:
    return {"error": {"type": kind, "code": code, "message": f"Refused with {KEY[:12]}..."}}


def new_session(fields: dict[str, str], amount: int, currency: str, base: str) -> dict[str, Any]:
    session_id = f"cs_test_{uuid.uuid4().hex}"
    return {
        "id": session_id,
        "object": "checkout.session",
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


def event(kind: str, session: dict[str, Any], *, livemode: bool = False, **changes: Any) -> bytes:
    """A signed-to-be event about a session, with whatever is to be different."""
    body = {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "type": f"checkout.session.{kind}",
        "livemode": livemode,
        "data": {"object": session | changes},
    }
    return json.dumps(body, indent=2).encode()


def signature(payload: bytes, *secrets: str, age: int = 0) -> str:
    """`t=…,v1=…[,v1=…]`: one for each secret while one is being replaced by another."""
    at = int(time.time()) - age
    signed = [hmac.new(s.encode(), b"%d." % at + payload, hashlib.sha256) for s in secrets or (SECRET,)]
    return ",".join([f"t={at}", *(f"v1={mac.hexdigest()}" for mac in signed)])


async def deliver(client: Client, payload: bytes, header: str | None = None) -> Answer:
    """As Stripe sends it: a foreign sender without any session."""
    headers = {"Content-Type": "application/json; charset=utf-8", "Accept": "*/*; q=0.5, application/xml"}
    headers["Stripe-Signature"] = signature(payload) if header is None else header
    return await client.send("POST", "/payment/webhook", body=payload, headers=headers)


async def tell(models: Models, payload: bytes, header: str | None = None) -> str:
    """To the models, without a site."""
    return await models.payments.receive(payload, signature(payload) if header is None else header)
