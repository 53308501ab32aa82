"""The evidence for a dispute: what is in it, and that it names no other user."""

from __future__ import annotations

import io
import json
from zipfile import ZipFile

import pytest
import stripe as stripe_library

from models.billing.dispute_evidence import README
from models.errors import NotFound
from models.ids import NO_ID
from models.security.audit_log import OPERATOR
from models.wiring import Models
from tests.support.billing.payers import paid
from tests.support.billing.stripe_events import object_event, receive


async def files_of(models: Models, session_id: str) -> dict[str, str]:
    attempt_id = (await models.refunds.find(session_id)).attempt_id
    with ZipFile(io.BytesIO(await models.dispute_evidence.bundle(attempt_id, OPERATOR))) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


async def test_what_is_in_it(models, stripe, anna, person) -> None:
    session_id = await paid(models, stripe, anna)
    own, ben = await models.invite_codes.find_own(anna.user_id), await person("Benedict", access=None)
    await models.invite_codes.redeem(own.code, ben.user_id)
    await receive(models, object_event("charge.dispute.created", stripe.dispute(session_id)))
    await receive(models, object_event("radar.early_fraud_warning.created", stripe.warn(session_id)))
    files = await files_of(models, session_id)
    assert set(files) == {line.split()[0] for line in README.splitlines()[2:]} | {"README.txt"}
    payment = json.loads(files["payment.json"])
    assert (payment["stripeSession"], payment["state"], payment["receiptNumber"]) == (session_id, "paid", 1)
    assert payment["disputes"][0]["status"] == "open"
    assert payment["warnings"][0]["type"] == "made_with_stolen_card"
    assert "Receipt TEST-000001" in files["receipt.txt"]
    (terms,) = json.loads(files["terms.json"])
    assert terms["text"]
    for use in ("signed up", "opened a session", "paid", "a friend joined"):
        assert use in files["use.txt"]
    assert "Benedict" not in "".join(files.values())
    assert ben.user_id not in "".join(files.values())


async def test_the_fields_are_those_of_stripes_form(models, stripe, anna) -> None:
    files = await files_of(models, await paid(models, stripe, anna))
    fields = json.loads(files["stripe.json"])
    assert set(fields) <= set(stripe_library.Dispute.Evidence.__annotations__)
    assert {"access_activity_log", "product_description", "service_date", "customer_name"} <= set(fields)


async def test_each_download_is_logged(models, stripe, anna) -> None:
    await files_of(models, await paid(models, stripe, anna))
    assert [one.action for one in await models.audit.page()] == ["payment.evidence"]
    for unknown in (NO_ID, "x"):
        with pytest.raises(NotFound):
            await models.dispute_evidence.bundle(unknown, OPERATOR)
