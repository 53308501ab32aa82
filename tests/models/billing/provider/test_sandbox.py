"""The test checkout in the models: its secret, its events and its owner."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.billing.provider.sandbox import Sandbox, event
from models.errors import BadRequest, NotFound
from models.security.site_secret import SiteSecret
from models.settings.config import Config
from models.wiring import Models
from tests.support.billing.rows import rows
from tests.support.billing.stripe_events import signature
from tests.support.factories import older


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Without a key of Stripe."""
    return Config(stun_urls=(), data_dir=tmp_path)


async def test_all_processes_use_the_same_secret(models, servers, config) -> None:
    other = await Models.open(config, servers.database_url, servers.redis_url)
    secrets = [await Sandbox(SiteSecret(of.db, config, of.audit), config).secret() for of in (models, other)]
    await other.close()
    assert len(set(secrets)) == 1


async def test_the_new_secret_is_used_after_the_database_was_emptied(
    models, running_servers, servers, config
) -> None:
    before = await models.payment_provider.page.secret()
    running_servers.empty()
    await models.site_secret.forget()
    after = await models.payment_provider.page.secret()
    other = await Models.open(config, servers.database_url, servers.redis_url)
    assert await other.payment_provider.page.secret() == after != before
    await other.close()


async def test_an_event_of_the_test_checkout_needs_the_sites_signature(models, person) -> None:
    anna = await person("Anna", access=None)
    offered = await models.checkouts.create_checkout(anna.user_id)
    checkout = await models.checkouts.get_test_checkout(anna.user_id, offered.session_id)
    payload = event(checkout, is_paid=True)
    with pytest.raises(BadRequest):
        await models.stripe_webhook.receive(payload, signature(payload, "whsec_guessed"))
    assert await models.grants.of(anna.user_id) == "unpaid"
    secret = await Sandbox(models.site_secret, models.config).secret()
    assert await models.stripe_webhook.receive(payload, signature(payload, secret)) == "applied"
    assert await models.grants.of(anna.user_id) == "paid"


async def test_a_settled_checkout_does_not_change(models, person) -> None:
    anna = await person("Anna", access=None)
    offered = await models.checkouts.create_checkout(anna.user_id)
    for is_paid in (False, True):
        await models.checkouts.play(anna.user_id, offered.session_id, is_paid=is_paid)
    assert await models.grants.of(anna.user_id) == "unpaid"
    assert (await rows(models))["events"] == 1


async def test_a_test_checkout_is_for_its_owner(models, person) -> None:
    anna, ben = await person("Anna", access=None), await person("Ben", access=None)
    offered = await models.checkouts.create_checkout(anna.user_id)
    with pytest.raises(NotFound):
        await models.checkouts.play(ben.user_id, offered.session_id, is_paid=True)
    assert await models.grants.of(ben.user_id) == "unpaid"


async def test_abandoned_checkouts_are_closed(models, person) -> None:
    anna = await person("Anna", access=None)
    offered = await models.checkouts.create_checkout(anna.user_id)
    await older(models, "checkouts.created_at", days=1)
    assert await models.checkouts.sweep() == 0
    assert (await models.checkouts.status(anna.user_id, offered.session_id)).access == "unpaid"
