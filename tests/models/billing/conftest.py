"""Models that reach the fake Stripe, and a user who has not paid yet."""

from __future__ import annotations

from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

from models.settings.config import Config
from tests.conftest import MakePerson, Person
from tests.support.billing.fake_stripe import StripeStandIn


@pytest.fixture
def config(stripe: StripeStandIn, tmp_path: Path) -> Config:
    return Config(
        stun_urls=(), guests_per_hour=1_000_000, data_dir=tmp_path, bcrypt_cost=4, **stripe.settings
    )


@pytest.fixture
def anna(io_loop: IOLoop, person: MakePerson) -> Person:
    return io_loop.run_sync(lambda: person("Anna", access=None))
