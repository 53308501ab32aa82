"""The parts of `Models`: each is built once, of the class that its module defines."""

from __future__ import annotations

from models.access.grants import Grants
from models.access.invite_codes import InviteCodes
from models.accounts.accounts import Accounts
from models.accounts.age_gate import AgeGate
from models.accounts.authentication import Authentication
from models.accounts.credentials import Credentials
from models.accounts.deletions import Deletions
from models.accounts.erasure import Erasure
from models.accounts.exports import Exports
from models.accounts.recovery import Recovery
from models.accounts.recovery_codes import RecoveryCodes
from models.accounts.robots import Robots
from models.accounts.scheduled_calls import ScheduledCalls
from models.accounts.sign_up import SignUp
from models.accounts.tombstones import Tombstones
from models.billing.checkouts import Checkouts
from models.billing.entitlement import Entitlement
from models.billing.provider.payment_provider import PaymentProvider
from models.billing.receipts import Receipts
from models.billing.reconciliation import Reconciliation
from models.billing.refunds import Refunds
from models.billing.webhook import StripeWebhook
from models.billing.webhook_probe import WebhookProbe
from models.broadcasts import Broadcasts
from models.calls.calls import Calls
from models.calls.chat import CallChat
from models.calls.contacts import Contacts
from models.calls.history import History
from models.calls.pages import CallPages
from models.calls.signalling import Signalling
from models.calls.turn import Turn
from models.console.dashboard import Dashboard
from models.console.invite_codes import AdminCodes
from models.console.members import Members
from models.console.sessions import StaffSessions
from models.console.sign_in import StaffSignIn
from models.console.site_figures import SiteStatistics
from models.console.staff import StaffList
from models.health import Health
from models.mail.mailer import Mailer
from models.profiles.media import Media
from models.profiles.screening.screening import Screening
from models.profiles.selfies import Selfies
from models.profiles.users import Users
from models.profiles.videos import Videos
from models.retention import Retention
from models.ringing.answers import InviteAnswers
from models.ringing.invites import Invites
from models.ringing.outcomes import InviteOutcomes
from models.ringing.rings import Rings
from models.room.introductions import Introductions
from models.room.presence import Presence
from models.room.queue import Queue
from models.safety.address_bans import AddressBans
from models.safety.appeals import Appeals
from models.safety.ban_notices import BanNotices
from models.safety.bans import Bans
from models.safety.blocks import Blocks
from models.safety.decisions.decisions import Decisions
from models.safety.email_bans import EmailBans
from models.safety.hidden_cards import HiddenCards
from models.safety.interruptions import Interruptions
from models.safety.marks import PersonMarks
from models.safety.moderation import Moderation
from models.safety.report_reviews import ReportReviews
from models.safety.reports import Reports
from models.security.audit_log import Audit
from models.security.rate_limits import RateLimits
from models.security.second_factors import SecondFactors
from models.security.sessions import Sessions
from models.security.site_secret import SiteSecret
from models.sweep import Sweep
from models.wiring import Models

PARTS = {
    "accounts": Accounts,
    "address_bans": AddressBans,
    "admin_codes": AdminCodes,
    "admission": Authentication,
    "age_gate": AgeGate,
    "answers": InviteAnswers,
    "appeals": Appeals,
    "audit": Audit,
    "ban_notices": BanNotices,
    "bans": Bans,
    "blocks": Blocks,
    "broadcasts": Broadcasts,
    "calls": Calls,
    "chat": CallChat,
    "checkouts": Checkouts,
    "contacts": Contacts,
    "credentials": Credentials,
    "dashboard": Dashboard,
    "decisions": Decisions,
    "deletions": Deletions,
    "email_bans": EmailBans,
    "entitlement": Entitlement,
    "erasure": Erasure,
    "exports": Exports,
    "grants": Grants,
    "health": Health,
    "hidden_cards": HiddenCards,
    "history": History,
    "call_pages": CallPages,
    "interruptions": Interruptions,
    "introductions": Introductions,
    "invite_codes": InviteCodes,
    "invites": Invites,
    "mail": Mailer,
    "media": Media,
    "marks": PersonMarks,
    "members": Members,
    "moderation": Moderation,
    "outcomes": InviteOutcomes,
    "payment_provider": PaymentProvider,
    "presence": Presence,
    "queue": Queue,
    "rate_limits": RateLimits,
    "receipts": Receipts,
    "reconciliation": Reconciliation,
    "recovery": Recovery,
    "recovery_codes": RecoveryCodes,
    "refunds": Refunds,
    "report_reviews": ReportReviews,
    "reports": Reports,
    "retention": Retention,
    "rings": Rings,
    "robots": Robots,
    "scheduled_calls": ScheduledCalls,
    "screening": Screening,
    "second_factors": SecondFactors,
    "selfies": Selfies,
    "sessions": Sessions,
    "sign_up": SignUp,
    "signalling": Signalling,
    "site_secret": SiteSecret,
    "staff": StaffList,
    "staff_sessions": StaffSessions,
    "staff_sign_in": StaffSignIn,
    "statistics": SiteStatistics,
    "stripe_webhook": StripeWebhook,
    "sweep": Sweep,
    "tombstones": Tombstones,
    "turn": Turn,
    "users": Users,
    "videos": Videos,
    "webhook_probe": WebhookProbe,
}


async def test_each_part_is_of_its_own_class(models: Models) -> None:
    found = {name: type(part) for name, part in vars(models).items() if not name.startswith("_")}
    assert {name: found.get(name) for name in PARTS} == PARTS
