"""The models of billing, created once and in order: each depends only on those above it."""

from __future__ import annotations

from models.access.grants import Grants
from models.access.invite_codes import InviteCodes
from models.billing.checkouts import Checkouts
from models.billing.dispute_evidence import DisputeEvidence
from models.billing.entitlement import Entitlement
from models.billing.fulfillment import Fulfillment
from models.billing.polling import Polling
from models.billing.provider.payment_provider import PaymentProvider
from models.billing.receipt_mails import ReceiptMails
from models.billing.receipts import Receipts
from models.billing.reconciliation import Reconciliation
from models.billing.refunds import Refunds
from models.billing.reversals import Reversals
from models.billing.webhook import StripeWebhook
from models.billing.webhook_probe import WebhookProbe
from models.billing.withdrawals import Withdrawals
from models.clock import Clock
from models.mail.alerts import Alerts
from models.mail.mailer import Mailer
from models.postgres.database import Db
from models.security.audit_log import Audit
from models.security.email_confirmations import EmailConfirmations
from models.security.site_secret import SiteSecret
from models.settings.config import Config


class BillingModels:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        config: Config,
        grants: Grants,
        invite_codes: InviteCodes,
        site_secret: SiteSecret,
        alerts: Alerts,
        audit: Audit,
        mail: Mailer,
    ) -> None:
        self.payment_provider = provider = PaymentProvider(config, site_secret)
        is_live = provider.kind == "live" or config.is_production
        self.entitlement = Entitlement(db, grants, invite_codes, is_live=is_live)
        effects = (db, clock, grants, self.entitlement, alerts)
        reversals = Reversals(*effects)
        fulfillment = Fulfillment(db, clock, config, *effects[2:])
        polling = Polling(db, clock, grants, fulfillment, provider.stripe) if provider.stripe else None
        self.stripe_webhook = StripeWebhook(db, clock, config, grants, fulfillment, reversals, provider)
        self.refunds = Refunds(db, clock, grants, reversals, self.stripe_webhook, provider, audit)
        who = (grants, self.entitlement, self.refunds)
        self.withdrawals = Withdrawals(db, clock, config, *who)
        who_pays = (grants, invite_codes, provider, self.entitlement)
        ways = (polling, self.stripe_webhook, self.refunds, self.withdrawals)
        self.checkouts = Checkouts(db, clock, config, *who_pays, *ways)
        self.webhook_probe = WebhookProbe(db, config, provider)
        self.receipts = Receipts(db, self.withdrawals, self.entitlement)
        confirmations = EmailConfirmations(site_secret, config)
        self.receipt_mails = ReceiptMails(db, clock, config, self.receipts, mail, confirmations)
        self.dispute_evidence = DisputeEvidence(db, config, self.receipts, audit)
        self.reconciliation = Reconciliation(db, clock, provider.stripe)
