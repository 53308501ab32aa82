"""The thin shim around Stripe: make and look up a Checkout Session, check a signature. The door to stripe.

Promises an answer within ten seconds, retries that carry the same idempotency key, and no Stripe type beyond
this file. Refuses with StripeAway (time-out, reset, 429, 5xx, a faulty answer: try again), StripeRefused (our
own fault: logged, trying the same again does not help) and BadRequest (a bad signature).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from typing import Any

import msgspec
import stripe

from models.config import Config
from models.errors import BadRequest, Unavailable
from models.stripe_events import Checkout, Kind, StripeSession

logger = logging.getLogger(__name__)
TOTAL_SECONDS = 9.0
TRY_SECONDS = 4.0
RETRIES = 2
TOLERANCE_SECONDS = 300
# "The same question is being answered right now", and "too many questions".
PASSING = (409, 429)
# The library tells of each request and failure; we say ourselves what went wrong.
stripe.enable_telemetry = False


class StripeAway(Unavailable):
    default = "The payment provider does not answer. Nothing was charged. Please try again in a moment."


class StripeRefused(Unavailable):
    default = "Payments do not work right now. Nothing was charged. Please try again later."


class Http(stripe.HTTPXClient):
    """The library's own client, which gives httpx the body under a name that httpx calls outdated."""

    def _get_request_args_kwargs(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any
    ) -> list[Any]:
        args, kwargs = super()._get_request_args_kwargs(method, url, headers, post_data)
        body = kwargs.pop("data") or None
        return [args, {**kwargs, "content": body}]


class StripeApi:
    """With `STRIPE_SECRET_KEY` and, in tests, another `STRIPE_API_BASE`."""

    def __init__(self, config: Config) -> None:
        assert config.stripe_secret_key is not None
        self.kind: Kind = "live" if "_live_" in config.stripe_secret_key[:8] else "test"
        self._base_url = config.base_url
        self._http = Http(timeout=TRY_SECONDS)
        client = stripe.StripeClient(
            config.stripe_secret_key,
            http_client=self._http,
            base_addresses={"api": config.stripe_api_base},
            max_network_retries=RETRIES,
        )
        self._sessions = client.v1.checkout.sessions

    async def create(self, checkout: Checkout) -> StripeSession:
        """The same session however often it is asked for. Raises StripeAway, StripeRefused."""
        key = f"checkout-{checkout.attempt_id}"
        params: Any = session_params(checkout, self._base_url)
        return await _asked(self._sessions.create_async(params, {"idempotency_key": key}), TOTAL_SECONDS)

    async def retrieve(self, session_id: str, seconds: float) -> StripeSession:
        """Raises StripeAway, StripeRefused."""
        return await _asked(self._sessions.retrieve_async(session_id), seconds)

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]


async def _asked(question: Awaitable[stripe.checkout.Session], seconds: float) -> StripeSession:
    try:
        async with asyncio.timeout(seconds):
            answer = await question
        return msgspec.convert(answer.to_dict(), StripeSession)
    except (TimeoutError, msgspec.ValidationError) as error:
        logger.warning("Stripe did not answer in time, or not in Stripe's form: %s", type(error).__name__)
        raise StripeAway from error
    except stripe.StripeError as error:
        raise _problem(error) from error


def _problem(error: stripe.StripeError) -> Unavailable:
    """Logged with Stripe's request id and code, never with its message: that may show a part of the key."""
    status = error.http_status or 0
    facts = {"status": status, "stripe_code": error.code, "request_id": error.request_id}
    if (400 <= status < 500 and status not in PASSING) or _is_replayed(error):
        logger.error("Stripe refused: %s", type(error).__name__, extra=facts)
        return StripeRefused()
    logger.warning("Stripe cannot be asked: %s", type(error).__name__, extra=facts)
    return StripeAway()


def _is_replayed(error: stripe.StripeError) -> bool:
    """Stripe keeps a failure under its idempotency key: the same question would fail for a day."""
    headers: dict[str, str] = {name.lower(): value for name, value in (error.headers or {}).items()}
    return headers.get("idempotent-replayed") == "true"


def session_params(checkout: Checkout, base_url: str) -> dict[str, object]:
    """Our price, person and addresses. `payment_intent_data` carries what the session's metadata does."""
    metadata = {"user_id": checkout.user_id, "attempt_id": checkout.attempt_id}
    price = {
        "currency": checkout.currency,
        "unit_amount": checkout.amount_cents,
        "product_data": {"name": "Napalm Sky: access, once"},
    }
    return {
        "mode": "payment",
        "line_items": [{"price_data": price, "quantity": 1}],
        "client_reference_id": checkout.user_id,
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata},
        "success_url": f"{base_url}/payment-success?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{base_url}/paywall?cancelled=1",
    }


def check_signature(payload: bytes, header: str, secrets: tuple[str, ...]) -> None:
    """Any of our secrets may have signed it, within five minutes. Raises BadRequest."""
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(payload, header, secret, TOLERANCE_SECONDS)
        except (stripe.SignatureVerificationError, ValueError, TypeError):
            continue
        return
    raise BadRequest("The signature does not fit.")


def sign(payload: bytes, secret: str) -> str:
    """The `Stripe-Signature` of a payload sent now."""
    return str(stripe.WebhookSignature.generate_signature_header(payload.decode(), secret))
