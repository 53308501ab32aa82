"""Alerts to the staff, by e-mail and by a signed webhook.

An alert is a row of the transaction that it is about, so it is neither lost nor sent for something that was
rolled back. The waiting ones are sent by one process, all in one message, at most one a minute. A failed
delivery is logged and repeated, for e-mail and webhook independently. Texts hold links to the console, never
names or words of members.

The webhook is a POST of JSON: `text` (Slack, Mattermost, Matrix bridges), `content` (Discord), and `alerts`
with `kind`, `url`, `at`. `X-Napalmsky-Signature: t=<epoch seconds>,v1=<hex>` holds the HMAC-SHA-256 (RFC
2104) of `<t>.<body>` with ALERT_WEBHOOK_SECRET. Only this module and the age provider import httpx.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from datetime import datetime
from typing import Any, Literal

import httpx
import msgspec

from models.clock import Clock
from models.mail.mailer import Mailer
from models.messages import instant
from models.postgres.database import Db, Transaction
from models.settings.config import Config

logger = logging.getLogger(__name__)
Kind = Literal[
    "report", "appeal", "ban", "minor", "notice", "picture", "payment", "refund", "dispute", "fraud"
]
EVERY_SECONDS, MOST_AT_ONCE = 60, 50
# For reports and appeals, which are not urgent.
QUEUE_EVERY_SECONDS = 3600
# How often a process looks for alerts that wait.
ALERT_SECONDS = 2.0
WEBHOOK_SECONDS = 10.0
TEST = "Napalm Sky: a test by the doctor. Alerts arrive here, and nothing needs to be done."
SUBJECT = "Napalm Sky: something needs a decision"
WHAT = {
    "report": "Reports wait for a decision",
    "appeal": "Appeals wait for a decision",
    "ban": "Reports have banned a user for a day at most. Decide whether the ban stays",
    "minor": "Two independent reports say that a user is under age. The card is hidden: decide in 24 hours",
    "picture": "A new picture resembles a removed one, or is known to the matching service",
    "notice": "A notice of illegal content has a deadline",
    "payment": "A payment is not as it was created and gives no access: refund it, or grant access",
    "refund": "A refund has failed. The money is still here: refund it again, or pay it back another way",
    "dispute": "A payer's bank disputes a payment or inquires about it. Answer in Stripe before the deadline",
    "fraud": "A card's issuer warns of fraud. A refund now avoids a dispute",
}


class Alert(msgspec.Struct, frozen=True):
    alert_id: int
    kind: Kind
    path: str
    created_at: datetime
    is_mailed: bool
    is_posted: bool


class Alerts:
    def __init__(self, db: Db, clock: Clock, config: Config, mailer: Mailer) -> None:
        self._db, self._clock, self._config, self._mailer = db, clock, config, mailer
        self._sql = db.statements("mail.alerts")

    async def raise_alert(self, kind: Kind, path: str, *, on: Transaction | None = None) -> None:
        """Stores an alert with a page of the console. The next round of the sweep sends it."""
        await self._sql.run("raise_alert", on=on, kind=kind, path=path, now=self._clock.frozen)

    async def raise_once(self, kind: Kind, path: str, *, on: Transaction) -> None:
        """As `raise_alert`, unless the same alert waits already: a flood is one alert a round."""
        await self._sql.run("raise_once", on=on, kind=kind, path=path, now=self._clock.frozen)

    async def note_waiting(self, kind: Literal["report", "appeal"], *, on: Transaction) -> None:
        """Alerts of a new report or appeal, at most once in `QUEUE_EVERY_SECONDS` whatever their number."""
        values = {"kind": kind, "path": f"/admin/{kind}s", "every": QUEUE_EVERY_SECONDS}
        await self._sql.run("raise_rarely", on=on, now=self._clock.frozen, **values)

    async def test_webhook(self) -> str | None:
        """Posts a message that says what it is. Why it did not arrive, or None. Only with a webhook."""
        return await self._post(self._config.alert_webhook_url or "", TEST, [])

    async def send(self) -> None:
        """Sends the waiting alerts in one message, unless the last one is too recent."""
        if not (self._config.alert_email or self._config.alert_webhook_url):
            return
        now = self._clock.frozen
        alerts = await self._sql.all("claim", Alert, every=EVERY_SECONDS, most=MOST_AT_ONCE, now=now)
        alerts.sort(key=lambda alert: alert.alert_id)
        email, url = self._config.alert_email, self._config.alert_webhook_url
        # Each channel by itself: a dead webhook does not silence the e-mails.
        unmailed = [one for one in alerts if email and not one.is_mailed]
        if unmailed and await self._mailer.deliver(email or "", SUBJECT, self._text(unmailed) + "\n"):
            await self._sql.run("mark_mailed", alert_ids=ids_of(unmailed), now=now)
        unposted = [one for one in alerts if url and not one.is_posted]
        if unposted and await self._is_posted(url or "", unposted):
            await self._sql.run("mark_posted", alert_ids=ids_of(unposted), now=now)
        if alerts:
            channels: dict[str, Any] = {"by_mail": email is not None, "by_webhook": url is not None}
            await self._sql.run("mark_sent", alert_ids=ids_of(alerts), now=now, **channels)

    def _text(self, alerts: list[Alert]) -> str:
        return "\n".join(f"{WHAT[one.kind]}: {self._config.base_url}{one.path}" for one in alerts)

    async def _is_posted(self, url: str, alerts: list[Alert]) -> bool:
        cause = await self._post(url, self._text(alerts), alerts)
        if cause is not None:
            logger.warning("ALERT_WEBHOOK_URL: an alert could not be delivered: %s", cause)
        return cause is None

    async def _post(self, url: str, text: str, alerts: list[Alert]) -> str | None:
        """Why it was not accepted, or None."""
        listed = [
            {"kind": one.kind, "url": self._config.base_url + one.path, "at": instant(one.created_at)}
            for one in alerts
        ]
        body = msgspec.json.encode({"text": text, "content": text, "alerts": listed})
        at = int(self._clock.now().timestamp())
        headers = {"Content-Type": "application/json"}
        if secret := self._config.alert_webhook_secret:
            headers["X-Napalmsky-Signature"] = signature(secret, at, body)
        try:
            async with httpx.AsyncClient(timeout=WEBHOOK_SECONDS, follow_redirects=False) as client:
                answer = await client.post(url, content=body, headers=headers)
                answer.raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return cause_of(error)
        return None


def ids_of(alerts: list[Alert]) -> list[int]:
    return [alert.alert_id for alert in alerts]


def signature(secret: str, at: int, body: bytes) -> str:
    """`t=<at>,v1=<hex>`."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def cause_of(error: httpx.HTTPError | httpx.InvalidURL) -> str:
    """Without the URL, which may hold a secret."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"the server answers {error.response.status_code}"
    return type(error).__name__
