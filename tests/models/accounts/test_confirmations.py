"""Confirmed addresses: only they get recovery links; payers who lost their cookies get back in with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.accounts.confirmations import Confirmations
from models.errors import NotFound
from models.security.addresses import subject_of
from models.settings.config import Config
from models.wiring import Models
from tests.conftest import MakePerson
from tests.support.billing.fake_stripe import StripeStandIn
from tests.support.billing.stripe_events import event, receive
from tests.support.factories import older
from tests.support.people.account_holders import OTHER_PASSWORD, PASSWORD, confirm_email
from tests.support.scenes import rows
from tests.support.smtp_server import Mailbox, link_in

LOCK = "select pg_advisory_xact_lock(hashtextextended(%s, 0))"
HOME, ANN = "203.0.113.7", "ann@example.com"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox().open() as opened:
        yield opened


@pytest.fixture
def config(stripe: StripeStandIn, tmp_path: Path, mailbox: Mailbox) -> Config:
    common = {"stun_urls": (), "guests_per_hour": 1_000_000, "data_dir": tmp_path, "bcrypt_cost": 4}
    return Config(smtp_url=mailbox.url, mail_from="hello@napalmsky.example", **common, **stripe.settings)


async def payer(models: Models, stripe: StripeStandIn, person: MakePerson, name: str = "Ann") -> str:
    """A guest who has paid, with an address; returns the user's id."""
    guest = await person(name, access=None)
    offered = await models.checkouts.create_checkout(guest.user_id)
    stripe.sessions[offered.session_id]["customer_details"] = {"email": ANN}
    await receive(models, event("completed", stripe.pay(offered.session_id)))
    return guest.user_id


async def token_in_receipt(models: Models, mailbox: Mailbox) -> str:
    await older(models, "checkouts.settled_at", seconds=11)
    await models.receipt_mails.sweep()
    return (await mailbox.letter()).partition("?token=")[2].split()[0]


async def asked(models: Models, email: str = ANN) -> int:
    """The number of links that exist after a request for one."""
    await models.recovery._links._send(email)
    return int((await rows(models, "select count(*) from recovery_links"))[0][0])


async def test_a_payer_gets_back_in_with_the_address_of_the_receipt(models, stripe, person, mailbox) -> None:
    user_id = await payer(models, stripe, person)
    token = await token_in_receipt(models, mailbox)
    assert await asked(models) == 0, "not confirmed yet"
    await models.confirmations.confirm(user_id, token)
    assert await asked(models) == 1
    link = link_in(await mailbox.letter()).partition("?link=")[2]
    back = await models.recovery.by_link(link, OTHER_PASSWORD, HOME, None)
    assert (back.member.user_id, back.member.is_account, back.member.access) == (user_id, True, "paid")
    signed = await models.accounts.login(ANN, OTHER_PASSWORD, HOME, None)
    assert signed.member.user_id == user_id
    assert await asked(models) == 1, "the account's address is the confirmed one"


async def test_an_account_must_confirm_its_address(models, person) -> None:
    guest = await person("Ann")
    member = await models.sessions.find(guest.token)
    await models.accounts.upgrade(member, ANN, PASSWORD, HOME)
    assert await asked(models) == 0
    found = await models.confirmations.find(guest.user_id)
    assert (found.email, found.is_confirmed, found.is_account) == (ANN, False, True)
    await confirm_email(models, guest.user_id)
    assert await asked(models) == 1


async def test_another_address_must_be_confirmed_again(models, person) -> None:
    guest = await person("Ann")
    member = await models.sessions.find(guest.token)
    await models.accounts.upgrade(member, ANN, PASSWORD, HOME)
    await confirm_email(models, guest.user_id)
    await models.credentials.email(member, PASSWORD, "Ann@Example.com", HOME)
    assert (await models.confirmations.find(guest.user_id)).is_confirmed
    await models.credentials.email(member, PASSWORD, "new@example.com", HOME)
    assert not (await models.confirmations.find(guest.user_id)).is_confirmed


async def test_a_link_is_for_one_user_and_one_address(models, stripe, person, mailbox) -> None:
    assert isinstance(models.confirmations, Confirmations)
    user_id = await payer(models, stripe, person)
    token = await token_in_receipt(models, mailbox)
    other = await payer(models, stripe, person, "Bo")
    for who, wrong in ((other, token), (user_id, token[:-1]), (user_id, ""), ("x", token)):
        with pytest.raises(NotFound):
            await models.confirmations.confirm(who, wrong)
    await rows(models, "update receipt_emails set email_key = 'other@example.com'")
    with pytest.raises(NotFound):
        await models.confirmations.of_link(user_id, token)
    assert await asked(models) == 0


async def test_an_address_with_an_account_leads_to_the_account(models, stripe, person, mailbox) -> None:
    user_id = await payer(models, stripe, person)
    await models.confirmations.confirm(user_id, await token_in_receipt(models, mailbox))
    holder = await person("Bo")
    member = await models.sessions.find(holder.token)
    await models.accounts.upgrade(member, ANN, PASSWORD, HOME)
    assert await asked(models) == 0, "an unconfirmed account keeps the guest's link from being sent"
    await confirm_email(models, holder.user_id)
    assert await asked(models) == 1
    assert await rows(models, "select user_id::text from recovery_links") == [(holder.user_id,)]


async def test_the_way_back_ends_with_the_person(models, stripe, person, mailbox) -> None:
    user_id = await payer(models, stripe, person)
    await models.confirmations.confirm(user_id, await token_in_receipt(models, mailbox))
    assert await asked(models) == 1
    await models.deletions.delete(user_id)
    assert await rows(models, "select count(*) from recovery_links") == [(0,)]
    assert await asked(models) == 0


async def test_an_address_is_accepted_although_its_letter_cannot_be_counted(models, person) -> None:
    """The lock of the limit is held longer than a statement may wait."""
    member = await models.sessions.find((await person("Ann")).token)
    await models.accounts.upgrade(member, ANN, PASSWORD, HOME)
    subject = await models.rate_limits.mark("link_address", subject_of(HOME))
    async with models.db.transaction() as on:
        await on.link.execute(LOCK, (f"link_address {subject}",))
        await models.confirmations.send_first(member.user_id, HOME)
    found = await models.confirmations.find(member.user_id)
    assert found is not None
    assert not found.is_confirmed
