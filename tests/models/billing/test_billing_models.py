"""Every model of billing is one of the site's."""

from __future__ import annotations

from models.billing.billing_models import BillingModels
from models.wiring import Models


async def test_the_models_of_billing_are_those_of_the_site(models: Models) -> None:
    who = (models.grants, models.invite_codes, models.site_secret, models.alerts, models.audit, models.mail)
    own = BillingModels(models.db, models.clock, models.config, *who)
    assert {name: type(one) for name, one in vars(own).items()} == {
        name: type(getattr(models, name)) for name in vars(own)
    }
    await own.payment_provider.close()
