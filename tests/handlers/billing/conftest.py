"""A site that reaches the fake Stripe."""

from __future__ import annotations

import pytest
from tornado.ioloop import IOLoop

from tests.conftest import MakeSite, Running
from tests.support.billing.fake_stripe import StripeStandIn


@pytest.fixture
def paying_site(io_loop: IOLoop, make_site: MakeSite, stripe: StripeStandIn) -> Running:
    return io_loop.run_sync(lambda: make_site(**stripe.settings))
