"""The evidence for a disputed payment, as a ZIP for admins.

It holds the checkout and what Stripe reported, the receipt, the accepted terms, and the use of the service:
sessions, calls and friends, without names, texts or addresses of others. `stripe.json` has the fields of
Stripe's Dispute.evidence (docs.stripe.com/api/disputes/object), ready to be entered in Stripe. Each download
is in the audit log. Raises: NotFound.
"""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec

from models.billing.receipt_texts import WHAT, receipt_text
from models.billing.receipts import Receipts
from models.billing.withdrawals import WORDS
from models.errors import NotFound
from models.ids import is_id
from models.messages import instant
from models.postgres.database import Db
from models.security.audit_log import Audit
from models.settings.config import Config

EvidenceRow = dict[str, Any]
MOST_USES = 500
README = """Evidence about one payment.

stripe.json     the fields of Stripe's form; enter them in Stripe's dashboard
payment.json    the checkout, and what Stripe reported about it: refunds, disputes, warnings of fraud
receipt.txt     the receipt
terms.json      the versions of the terms that the payer has accepted, with time and text
use.txt         how the payer has used the service, in order of time (UTC)
"""


class UseOfService(msgspec.Struct, frozen=True):
    at: datetime
    what: str


class DisputeEvidence:
    def __init__(self, db: Db, config: Config, receipts: Receipts, audit: Audit) -> None:
        self._config, self._receipts, self._audit = config, receipts, audit
        self._sql = db.statements("billing.dispute_evidence")

    async def bundle(self, attempt_id: str, staff_id: str) -> bytes:
        """The ZIP, a few kilobytes. The download is in the audit log."""
        payment = (
            await self._sql.all("payment", EvidenceRow, attempt_id=attempt_id) if is_id(attempt_id) else []
        )
        if not payment:
            raise NotFound("There is no such payment.")
        user_id = str(payment[0]["userId"])
        terms = await self._sql.all("terms", EvidenceRow, user_id=user_id)
        uses = await self._sql.all("uses", UseOfService, user_id=user_id, most=MOST_USES)
        receipt = await self._receipt(user_id, attempt_id, has_words=payment[0]["startAskedAt"] is not None)
        await self._audit.note(staff_id, "payment.evidence", f"payment {attempt_id}")
        log = "".join(f"{instant(one.at)}  {one.what}\n" for one in uses)
        return _zipped(
            {
                "README.txt": README,
                "stripe.json": _json(self._fields(payment[0], receipt, log)),
                "payment.json": _json(payment[0]),
                "receipt.txt": receipt,
                "terms.json": _json(terms),
                "use.txt": log,
            }
        )

    async def _receipt(self, user_id: str, attempt_id: str, *, has_words: bool) -> str:
        for one in await self._receipts.of(user_id):
            if one.payment_id == attempt_id:
                return receipt_text(one, self._config, with_withdrawal=has_words)
        return "This checkout was not paid.\n"

    def _fields(self, payment: EvidenceRow, receipt: str, log: str) -> EvidenceRow:
        """Named as in Stripe's Dispute.evidence; empty fields are left out."""
        words = f'Before the payment the customer agreed: "{WORDS}"' if payment["startAskedAt"] else None
        fields = {
            "access_activity_log": log,
            "cancellation_policy_disclosure": words,
            "customer_email_address": payment["email"],
            "customer_name": payment["name"],
            "product_description": f"{WHAT}. Access to {self._config.base_url}, a site for video calls.",
            "service_date": instant(payment["settledAt"])[:10] if payment["settledAt"] else None,
            "uncategorized_text": receipt,
        }
        return {name: text for name, text in fields.items() if text}


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def _zipped(files: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return made.getvalue()
