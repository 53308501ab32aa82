"""The Stripe API: create and retrieve Checkout Sessions, refund, list, verify signatures.

The only module that imports stripe. Every call answers within ten seconds; retries carry the same idempotency
key. No Stripe type leaves this module. Raises: StripeUnavailable (timeout, reset, 429, 5xx, malformed answer;
try again), StripeRefused (a fault on our side, logged; a retry does not help), BadSignature.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

import msgspec
import stripe

from models.billing.provider.checkout_session import session_params
from models.billing.provider.stripe_types import (
    Checkout,
    CheckoutKind,
    StripeCharge,
    StripeDispute,
    StripeEndpoint,
    StripeObject,
    StripeRefund,
    StripeSession,
)
from models.errors import BadSignature, Unavailable, UntimelySignature
from models.settings.config import Config

logger = logging.getLogger(__name__)
TOTAL_SECONDS = 9.0
TRY_SECONDS = 4.0
RETRIES = 2
TOLERANCE_SECONDS = 300
# The size of a list page; `_listed` reads all pages.
PAGE = 100
Object = TypeVar("Object", bound=StripeObject)
# Temporary: "the same request is in progress" and "too many requests".
PASSING = (409, 429)
# The library logs each request and failure; this module logs failures itself.
stripe.enable_telemetry = False


class StripeUnavailable(Unavailable):
    default = "The payment provider is not answering. Nothing was charged. Please try again in a moment."


class StripeRefused(Unavailable):
    default = "Payments do not work right now. Nothing was charged. Please try again later."


class AlreadyRefunded(StripeRefused):
    """The charge was refunded before, perhaps in Stripe's dashboard."""


class StripeApi:
    """With `STRIPE_SECRET_KEY` and, in tests, another `STRIPE_API_BASE`."""

    def __init__(self, config: Config) -> None:
        assert config.stripe_secret_key is not None
        self.kind: CheckoutKind = "live" if "_live_" in config.stripe_secret_key[:8] else "test"
        self._config = config
        self._http = stripe.HTTPXClient(timeout=TRY_SECONDS)
        client = stripe.StripeClient(
            config.stripe_secret_key,
            http_client=self._http,
            base_addresses={"api": config.stripe_api_base},
            max_network_retries=RETRIES,
        )
        self._api = client.v1
        self._sessions = client.v1.checkout.sessions

    async def create(self, checkout: Checkout) -> StripeSession:
        """Creates the session of a checkout; repeated calls return the same one. Raises: StripeUnavailable,
        StripeRefused.
        """
        key = f"checkout-{checkout.attempt_id}"
        params: Any = session_params(checkout, self._config)
        asked = self._sessions.create_async(params, {"idempotency_key": key})
        return await _asked(asked, StripeSession, TOTAL_SECONDS)

    async def retrieve(self, session_id: str, seconds: float) -> StripeSession:
        """A session as it is now. Raises: StripeUnavailable, StripeRefused."""
        return await _asked(self._sessions.retrieve_async(session_id), StripeSession, seconds)

    async def refund(self, checkout: Checkout, number: int) -> list[StripeRefund]:
        """Refunds a payment in full, once for each `number` (of refunds that failed before), and returns the
        refund; all refunds if it was refunded before. Raises: StripeUnavailable, StripeRefused.
        """
        metadata = {"user_id": checkout.user_id, "attempt_id": checkout.attempt_id}
        params: Any = {"payment_intent": checkout.payment_intent, "metadata": metadata}
        key: Any = {"idempotency_key": f"refund-{checkout.attempt_id}" + (f"-{number}" if number else "")}
        try:
            created = self._api.refunds.create_async(params, key)
            return [await _asked(created, StripeRefund, TOTAL_SECONDS)]
        except AlreadyRefunded:
            return [
                one
                async for one in _listed(
                    self._api.refunds.list_async, StripeRefund, payment_intent=checkout.payment_intent
                )
            ]

    # -- lists since an instant (epoch seconds), page by page. Raise: StripeUnavailable, StripeRefused. --

    def sessions_since(self, since: int) -> AsyncIterator[StripeSession]:
        return _listed(self._sessions.list_async, StripeSession, since)

    def charges_since(self, since: int) -> AsyncIterator[StripeCharge]:
        return _listed(self._api.charges.list_async, StripeCharge, since)

    def disputes_since(self, since: int) -> AsyncIterator[StripeDispute]:
        return _listed(self._api.disputes.list_async, StripeDispute, since)

    def webhook_endpoints(self) -> AsyncIterator[StripeEndpoint]:
        return _listed(self._api.webhook_endpoints.list_async, StripeEndpoint)

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]


async def _listed(
    ask: Any, kind: type[Object], since: int | None = None, **of: object
) -> AsyncIterator[Object]:
    """All objects, or those since an instant, with one time limit per page."""
    params: dict[str, object] = {"limit": PAGE, **of}
    params |= {"created": {"gte": since}} if since is not None else {}
    while True:
        page = await _answer(ask(params), TOTAL_SECONDS)
        for one in page.data:
            yield _read(one, kind)
        if not page.has_more:
            return
        params["starting_after"] = page.data[-1].id


async def _asked(question: Awaitable[Any], kind: type[Object], seconds: float) -> Object:
    return _read(await _answer(question, seconds), kind)


def _read(answer: Any, kind: type[Object]) -> Object:
    try:
        return msgspec.convert(answer.to_dict(), kind)
    except msgspec.ValidationError as error:
        logger.warning("Stripe's answer is malformed")
        raise StripeUnavailable from error


async def _answer(question: Awaitable[Any], seconds: float) -> Any:
    try:
        async with asyncio.timeout(seconds):
            return await question
    except TimeoutError as error:
        logger.warning("Stripe did not answer in time")
        raise StripeUnavailable from error
    except stripe.StripeError as error:
        raise _problem(error) from error


def _problem(error: stripe.StripeError) -> Unavailable:
    """Logs Stripe's request id and code, but never its message, which can contain a part of the key."""
    status = error.http_status or 0
    facts = {"status": status, "stripe_code": error.code, "request_id": error.request_id}
    if (400 <= status < 500 and status not in PASSING) or _is_replayed(error):
        if error.code == "charge_already_refunded":
            return AlreadyRefunded()
        logger.error("Stripe rejected the request: %s", type(error).__name__, extra=facts)
        return StripeRefused()
    logger.warning("Stripe is not available: %s", type(error).__name__, extra=facts)
    return StripeUnavailable()


def _is_replayed(error: stripe.StripeError) -> bool:
    """Whether Stripe replayed a failure stored under the idempotency key; a retry would fail for a day."""
    headers: dict[str, str] = {name.lower(): value for name, value in (error.headers or {}).items()}
    return headers.get("idempotent-replayed") == "true"


def check_signature(payload: bytes, header: str, secrets: tuple[str, ...]) -> None:
    """Accepts a signature by any of `secrets`, at most five minutes old.

    Raises: BadSignature, UntimelySignature (signed by one of the secrets, but at another time).
    """
    problem: type[BadSignature] = BadSignature
    for secret in secrets:
        if _fits(payload, header, secret, TOLERANCE_SECONDS):
            return
        if _fits(payload, header, secret, None):
            problem = UntimelySignature
    raise problem("The signature does not match.")


def _fits(payload: bytes, header: str, secret: str, tolerance: int | None) -> bool:
    try:
        stripe.WebhookSignature.verify_header(payload, header, secret, tolerance)
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        return False
    return True


def sign(payload: bytes, secret: str) -> str:
    """The `Stripe-Signature` header of a payload that is sent now."""
    return str(stripe.WebhookSignature.generate_signature_header(payload.decode(), secret))
