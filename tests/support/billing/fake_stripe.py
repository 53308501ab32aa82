"""A small Stripe on loopback, at the level of HTTP; its data is in `tests.support.billing.stripe_books`.

Rejects what Stripe rejects: a missing or wrong key, malformed parameters, amounts under the minimum, one
idempotency key for two different requests. Stores idempotency keys, failures included. Fails on request:
`stripe.faults.append("hang")`, one for each coming request. At `/pay/<session id>` is its own page, where a
browser pays.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from tornado.web import RequestHandler

from tests.support.billing.stripe_books import KEY, Books, failure
from tests.support.billing.stripe_events import SECRET
from tests.support.fake_service import FakeService

HOSTED = (
    "<!doctype html><html lang=en><title>Pay</title><link rel=icon href=data:,><h1>Stand-in for Stripe</h1>"
    "<form method=post><button name=action value=pay>Pay</button>"
    "<button name=action value=cancel>Back</button></form>"
)


class StripeStandIn(Books, FakeService):
    """`asked`: every API request as (method, path, idempotency key)."""

    def __init__(self) -> None:
        Books.__init__(self)
        self.kept: dict[str, tuple[bytes, int, dict[str, Any]]] = {}
        self.asked: list[tuple[str, str, str | None]] = []
        # What else happens after a payment on our page, before the redirect back.
        self.when_paid: Callable[[dict[str, Any]], Awaitable[object]] | None = None
        own = {"stripe": self}
        routes = [
            (r"/v1/(checkout/sessions)/(\w+)", OneHandler, own),
            (r"/v1/(checkout/sessions|charges|disputes|refunds|webhook_endpoints)", ManyHandler, own),
            (r"/pay/(\w+)", HostedPage, own),
        ]
        FakeService.__init__(self, routes)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings for `make_site`."""
        return {
            "stripe_secret_key": KEY,
            "stripe_webhook_secrets": (SECRET,),
            "stripe_api_base": self.api_base,
            "price_cents": 50,
        }


class ApiHandler(RequestHandler):
    def initialize(self, stripe: StripeStandIn) -> None:
        self.stripe = stripe

    async def prepare(self) -> None:
        self.key = self.request.headers.get("Idempotency-Key")
        self.stripe.asked.append((str(self.request.method), self.request.path, self.key))
        self.set_header("Request-Id", f"req_{len(self.stripe.asked)}")
        if self.request.headers.get("Authorization") != f"Bearer {KEY}":
            self.answer(401, failure("authentication_error", "api_key_invalid"))

    async def goes_wrong(self) -> bool:
        """The next fault: a status, `kept 500` (stored under its key), `hang`, `reset`, `lost`, `garbage`."""
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


class OneHandler(ApiHandler):
    async def get(self, _kind: str, session_id: str) -> None:
        if await self.goes_wrong():
            return
        session = self.stripe.sessions.get(session_id)
        missing = failure("invalid_request_error", "resource_missing")
        self.answer(200 if session else 404, session or missing)


class ManyHandler(ApiHandler):
    async def get(self, kind: str) -> None:
        if not await self.goes_wrong():
            self.answer(200, self.stripe.listed(kind, fields_of(self.request.query.encode())))

    async def post(self, kind: str) -> None:
        body, key = self.request.body, self.key or uuid.uuid4().hex
        make = self.stripe.refund if kind == "refunds" else self.stripe.create
        if "lost" in list(self.stripe.faults)[:1] and key not in self.stripe.kept:
            self.stripe.kept[key] = (body, *make(fields_of(body)))
        if await self.goes_wrong():
            return None
        if key in self.stripe.kept:
            return self.replay(body, key)
        status, answer = make(fields_of(body))
        if status < 400:
            self.stripe.kept[key] = (body, status, answer)
        return self.answer(status, answer)

    def replay(self, body: bytes, key: str) -> None:
        first, status, answer = self.stripe.kept[key]
        if first != body:
            return self.answer(400, failure("idempotency_error", None))
        self.set_header("Idempotent-Replayed", "true")
        return self.answer(status, answer)


class HostedPage(RequestHandler):
    """The payment page; the test decides which events follow."""

    def initialize(self, stripe: StripeStandIn) -> None:
        self.stripe = stripe

    def get(self, _session_id: str) -> None:
        self.finish(HOSTED)

    async def post(self, session_id: str) -> None:
        session = self.stripe.sessions[session_id]
        if self.get_body_argument("action") != "pay":
            return self.redirect(session["cancel_url"], status=303)
        self.stripe.pay(session_id)
        if self.stripe.when_paid is not None:
            await self.stripe.when_paid(session)
        return self.redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id), status=303)


def fields_of(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode(), keep_blank_values=True))
