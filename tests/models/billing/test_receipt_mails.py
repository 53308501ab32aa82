"""Receipts: numbered without gaps, with seller and tax, sent once where there is an address."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from models.billing.receipt_mails import ReceiptMails
from models.settings.config import Config
from models.wiring import Models
from tests.support.billing.payers import paid
from tests.support.billing.rows import alerts
from tests.support.billing.stripe_events import event, object_event, receive
from tests.support.factories import older
from tests.support.scenes import rows
from tests.support.smtp_server import Mailbox

SELLER = {"seller_name": "Sky GmbH", "seller_address": "1 Way, Berlin", "seller_tax_id": "DE123"}


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox().open() as opened:
        yield opened


@pytest.fixture
def config(stripe, tmp_path: Path, mailbox: Mailbox) -> Config:
    common = {"stun_urls": (), "guests_per_hour": 1_000_000, "data_dir": tmp_path, "bcrypt_cost": 4}
    mail = {"smtp_url": mailbox.url, "mail_from": "hello@napalmsky.example"}
    return Config(seller_tax_percent=Decimal(19), **SELLER, **common, **mail, **stripe.settings)


async def pays(models: Models, stripe, someone, email: str | None = "anna@example.com") -> str:
    offered = await models.checkouts.create_checkout(someone.user_id)
    stripe.sessions[offered.session_id]["customer_details"] = {"email": email}
    await receive(models, event("completed", stripe.pay(offered.session_id)))
    return offered.session_id


async def later(models: Models) -> None:
    """The receipts are due."""
    await older(models, "checkouts.settled_at", seconds=11)
    assert isinstance(models.receipt_mails, ReceiptMails)
    await models.receipt_mails.sweep()


async def test_a_receipt_is_sent_once_with_seller_number_and_tax(models, stripe, anna, mailbox) -> None:
    await pays(models, stripe, anna)
    await models.receipt_mails.sweep()
    assert mailbox.letters == []
    await older(models, "checkouts.settled_at", seconds=11)
    await asyncio.gather(*(models.receipt_mails.sweep() for _ in range(4)))
    (mail,) = mailbox.letters
    assert mail["To"] == "anna@example.com"
    assert mail["Subject"] == "Your receipt TEST-000001 from Sky GmbH"
    text = mail.get_content()
    for part in ("1 Way, Berlin", "Tax number: DE123", "$0.50", "Included tax (19 %): $0.08", "/confirm/"):
        assert part in text


async def test_it_is_sent_again_after_a_failure(models, stripe, anna, mailbox) -> None:
    await pays(models, stripe, anna)
    mailbox.refuses = True
    await later(models)
    mailbox.refuses = False
    await models.receipt_mails.sweep()
    assert mailbox.letters == []
    await older(models, "checkouts.receipt_claimed_at", minutes=3)
    await models.receipt_mails.sweep()
    assert len(mailbox.letters) == 1


async def test_an_account_gets_it_at_its_own_address(models, stripe, anna, mailbox) -> None:
    await rows(
        models,
        "insert into accounts (user_id, email, email_key, password_hash, created_at, password_at) "
        "values (%s, 'own@example.com', 'own@example.com', 'x', now(), now())",
        anna.user_id,
    )
    await pays(models, stripe, anna, "other@example.com")
    await later(models)
    (mail,) = mailbox.letters
    assert mail["To"] == "own@example.com"
    assert "/confirm/" not in mail.get_content()
    assert await rows(models, "select count(*) from receipt_emails") == [(0,)]


@pytest.mark.parametrize("email", [None, "", "no address"])
async def test_without_an_address_nothing_is_sent(models, stripe, anna, mailbox, email) -> None:
    await pays(models, stripe, anna, email)
    await later(models)
    assert mailbox.letters == []


async def test_numbers_have_no_gaps(models, stripe, person) -> None:
    guests = [await person(f"Guest {number}", access=None, selfie=False) for number in range(6)]
    offers = [await models.checkouts.create_checkout(guest.user_id) for guest in guests]
    events = [event("completed", stripe.pay(offered.session_id)) for offered in offers[:5]]
    await asyncio.gather(*(receive(models, one) for one in events * 2))
    # One in review is no sale.
    await receive(models, event("completed", stripe.pay(offers[5].session_id), amount_total=1))
    assert await alerts(models) == ["payment"]
    found = await rows(models, "select receipt_number from checkouts order by receipt_number")
    assert [number for (number,) in found] == [1, 2, 3, 4, 5, None]


async def test_stripe_tax_is_on_the_receipt(models, stripe, anna, servers, config) -> None:
    taxed = replace(config, stripe_tax=True, seller_tax_percent=None)
    site = await Models.open(taxed, servers.database_url, servers.redis_url)
    offered = await site.checkouts.create_checkout(anna.user_id)
    session = stripe.pay(offered.session_id)
    await receive(site, object_event("payment_intent.succeeded", stripe.intent(offered.session_id)))
    (receipt,) = await site.receipts.of(anna.user_id)
    assert receipt.tax_cents is None
    await receive(site, event("completed", session, total_details={"amount_tax": 7}))
    (receipt,) = await site.receipts.of(anna.user_id)
    assert receipt.tax_text == "$0.07"
    await site.close()


async def test_the_address_goes_with_the_person(models, stripe, anna) -> None:
    await pays(models, stripe, anna)
    await models.deletions.delete(anna.user_id)
    assert await rows(models, "select count(*) from receipt_emails") == [(0,)]


async def test_a_payment_without_an_address_is_numbered(models, stripe, anna) -> None:
    await paid(models, stripe, anna)
    (receipt,) = await models.receipts.of(anna.user_id)
    assert (receipt.number, receipt.number_text) == (1, "TEST-000001")
