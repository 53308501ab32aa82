"""All models, created once and in order: each depends only on those above it."""

from __future__ import annotations

from models.access.grants import Grants
from models.access.invite_codes import InviteCodes
from models.accounts.accounts import Accounts
from models.accounts.age_gate import AgeGate
from models.accounts.age_proofs import AgeProofs
from models.accounts.authentication import Authentication
from models.accounts.confirmations import Confirmations
from models.accounts.credentials import Credentials
from models.accounts.deletions import Deletions
from models.accounts.erasure import Erasure
from models.accounts.exports import Exports
from models.accounts.recovery import Recovery
from models.accounts.recovery_codes import RecoveryCodes
from models.accounts.robots import Robots
from models.accounts.scheduled_calls import LOOK_SECONDS, ScheduledCalls
from models.accounts.sign_up import SignUp
from models.accounts.tombstones import Tombstones
from models.billing.billing_models import BillingModels
from models.broadcasts import Broadcasts
from models.calls.calls import Calls
from models.calls.chat import CallChat
from models.calls.contacts import Contacts
from models.calls.history import History
from models.calls.pages import CallPages
from models.calls.signalling import Signalling
from models.calls.turn import Turn
from models.clock import Clock
from models.console.dashboard import Dashboard
from models.console.hourly_figures import RECORD_SECONDS, HourlyFigures
from models.console.invite_codes import AdminCodes
from models.console.member_access import MemberAccess
from models.console.members import Members
from models.console.sessions import StaffSessions
from models.console.sign_in import StaffSignIn
from models.console.site_figures import SiteStatistics
from models.console.staff import StaffList
from models.health import Health
from models.ids import new_id
from models.mail.alerts import ALERT_SECONDS, Alerts
from models.mail.mailer import Mailer
from models.postgres.database import Db
from models.profiles.media import Media
from models.profiles.screening.screening import Screening
from models.profiles.selfies import Selfies
from models.profiles.terms import TermsAcceptances
from models.profiles.users import Users
from models.profiles.videos import Videos
from models.redis.client import Bus
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
from models.safety.decisions.decision_emails import EMAIL_SECONDS
from models.safety.decisions.decisions import Decisions
from models.safety.email_bans import EmailBans
from models.safety.hidden_cards import HiddenCards
from models.safety.interruptions import Interruptions
from models.safety.marks import PersonMarks
from models.safety.moderation import Moderation
from models.safety.notices import Notices
from models.safety.report_reviews import ReportReviews
from models.safety.reports import Reports
from models.safety.transparency import Transparency
from models.security.audit_log import Audit
from models.security.email_confirmations import EmailConfirmations
from models.security.passwords import Passwords
from models.security.rate_limits import RateLimits
from models.security.second_factors import SecondFactors
from models.security.sessions import Sessions
from models.security.site_secret import SiteSecret
from models.settings.config import Config
from models.settings.terms import terms_in_force
from models.sweep import PeriodicJob, Sweep

# How often Stripe is queried about abandoned checkouts (each of them only now and then), and test grants end.
PAYMENTS_SECONDS, TEST_SECONDS, FORGET_SECONDS, TOMBSTONE_SECONDS = 5.0, 60.0, 600.0, 10.0


class Models:
    """Every collection of the site: `await Models.open(config, database_url, redis_url)`, `await close()`."""

    def __init__(self, config: Config, db: Db, bus: Bus, clock: Clock) -> None:
        self.config, self.db, self.bus, self.clock = config, db, bus, clock
        self.broadcasts = Broadcasts(bus)
        self.health = Health(db, bus)
        self.mail = Mailer(config)
        self.alerts = Alerts(db, clock, config, self.mail)
        self._security()
        self._people()
        self._calls()
        self._ringing()
        self._billing()
        self._safety()
        self._console()
        self._accounts()
        self._sweep()

    def _security(self) -> None:
        config, db, clock = self.config, self.db, self.clock
        self.audit = Audit(db, clock)
        self.site_secret = SiteSecret(db, config, self.audit)
        self.rate_limits = RateLimits(db, self.bus, clock, config, self.site_secret)
        self.terms = TermsAcceptances(db, clock, terms_in_force(config))
        self.sessions = Sessions(db, clock, config, self.broadcasts, self.terms.current.version)
        self.passwords, self.staff_passwords = Passwords(config), Passwords(config)
        self.second_factors = SecondFactors(clock, self.site_secret)

    def _people(self) -> None:
        """Profiles, the room and access."""
        config, db, bus, clock = self.config, self.db, self.bus, self.clock
        self.users, self.media = Users(db, clock), Media(db, clock)
        self.screening = Screening(db, clock, config, self.alerts)
        self.selfies = Selfies(db, clock, config.data_dir, self.screening)
        self.videos = Videos(db, clock, config.data_dir, self.screening)
        self.introductions = Introductions(db, clock, config)
        self.presence = Presence(db, bus, clock)
        self.queue = Queue(db, bus, clock, config, self.introductions)
        self.grants = Grants(db, clock, self.broadcasts)
        self.invite_codes = InviteCodes(db, clock, config, self.grants, self.rate_limits)

    def _calls(self) -> None:
        config, db, bus, clock = self.config, self.db, self.bus, self.clock
        self.turn = Turn(config, bus, clock)
        self.calls = Calls(db, bus, clock, config, self.broadcasts, self.presence)
        self.chat = CallChat(db, clock, config, self.broadcasts)
        self.call_pages = CallPages(db)
        self.history = History(db)
        self.signalling = Signalling(bus, self.broadcasts)
        self.contacts = Contacts(db, clock, config, self.broadcasts)

    def _ringing(self) -> None:
        config, db, clock, broadcasts, users = self.config, self.db, self.clock, self.broadcasts, self.users
        self.rings, terms = Rings(self.bus), self.terms.current.version
        self.outcomes = outcomes = InviteOutcomes(db, clock, config, broadcasts, self.rings, users)
        self.answers = answers = InviteAnswers(config, broadcasts, self.calls, outcomes)
        self.invites = Invites(db, clock, config, broadcasts, users, self.rings, outcomes, answers, terms)

    def _billing(self) -> None:
        config, db, clock = self.config, self.db, self.clock
        who = (self.grants, self.invite_codes, self.site_secret, self.alerts, self.audit, self.mail)
        billing = BillingModels(db, clock, config, *who)
        self.payment_provider, self.webhook_probe = billing.payment_provider, billing.webhook_probe
        self.entitlement, self.stripe_webhook = billing.entitlement, billing.stripe_webhook
        self.checkouts, self.refunds = billing.checkouts, billing.refunds
        self.receipts, self.reconciliation = billing.receipts, billing.reconciliation
        self.withdrawals, self.receipt_mails = billing.withdrawals, billing.receipt_mails
        self.dispute_evidence = billing.dispute_evidence

    def _safety(self) -> None:
        config, db, clock, broadcasts = self.config, self.db, self.clock, self.broadcasts
        self.interruptions = Interruptions(db, self.calls, self.rings, self.outcomes, self.presence)
        self.ban_notices = BanNotices(db, clock, self.site_secret)
        who = (self.media, self.screening.removed, self.audit, self.alerts, self.mail, self.ban_notices)
        self.decisions = Decisions(db, clock, config, broadcasts, *who, self.site_secret)
        emails = self.decisions.emails
        self.email_bans = EmailBans(db, clock, self.site_secret)
        self.address_bans = AddressBans(db, clock, config, self.site_secret)
        self.blocks = Blocks(db, clock, broadcasts, self.presence, self.interruptions)
        ends = (self.ban_notices, self.address_bans, self.interruptions)
        self.bans = Bans(db, self.bus, clock, broadcasts, self.sessions, *ends, self.audit, emails)
        self.appeals = Appeals(db, clock, self.bans, self.audit, self.alerts, emails)
        self.hidden_cards, self.marks = (
            HiddenCards(db, self.bus, clock),
            PersonMarks(db, clock, config, self.site_secret),
        )
        self.notices = Notices(db, clock, config, self.rate_limits, self.mail, self.audit, self.alerts)
        parts = (self.calls, self.selfies, self.rate_limits, self.interruptions, self.bans, self.site_secret)
        self.reports = Reports(db, clock, config, broadcasts, *parts, self.hidden_cards, self.alerts, emails)
        self.report_reviews = ReportReviews(db, clock, self.audit, emails)
        self.transparency = Transparency(db, clock)
        self.moderation = Moderation(clock, self.bans, self.report_reviews)

    def _console(self) -> None:
        config, db, clock = self.config, self.db, self.clock
        self.members = Members(db, self.media, self.audit)
        self.member_access = MemberAccess(db, self.grants, self.invite_codes, self.audit)
        self.statistics = SiteStatistics(db, self.bus, self.presence)
        self.dashboard = Dashboard(db, clock, config, self.presence)
        self.hourly_figures = HourlyFigures(db, clock, config, self.presence)
        self.admin_codes = AdminCodes(db, clock, self.audit)
        self.staff_sessions = StaffSessions(db, clock, config)
        sign_in = (self.second_factors, self.staff_sessions)
        self.staff = StaffList(db, clock, config, self.audit, self.staff_passwords, *sign_in)
        self.staff_sign_in = StaffSignIn(db, self.audit, self.staff_passwords, self.rate_limits, *sign_in)

    def _accounts(self) -> None:
        config, db, clock = self.config, self.db, self.clock
        self.recovery_codes = RecoveryCodes(db, clock)
        self.admission = Authentication(self.sessions, self.ban_notices)
        checks = (self.passwords, self.rate_limits, self.recovery_codes)
        self.accounts = Accounts(db, clock, self.sessions, *checks, self.ban_notices, self.email_bans)
        ways = (*checks, self.mail)
        self.credentials = Credentials(db, clock, config, self.accounts, self.sessions, *ways)
        self.recovery = Recovery(db, clock, config, self.accounts, self.credentials, *ways)
        links = EmailConfirmations(self.site_secret, config)
        self.confirmations = Confirmations(db, clock, links, self.rate_limits, self.mail)
        self.robots = Robots(db, clock, self.grants, self.sessions)
        self.scheduled_calls = ScheduledCalls(config, self.bus, self.robots)
        self.age_proofs = AgeProofs(db, clock, config)
        self.age_gate = AgeGate(db, clock, config, self.site_secret)
        new = (self.users, self.terms, self.sessions, self.invite_codes, self.rate_limits, self.address_bans)
        self.sign_up = SignUp(db, clock, config, *new, self.introductions, self.age_gate)
        self.erasure = Erasure(db, clock, self.email_bans, self.marks)
        self.tombstones = Tombstones(db, clock, self.erasure, config.data_dir)
        what = (self.erasure, self.tombstones, self.accounts, self.credentials, self.sessions)
        self.deletions = Deletions(db, clock, *what, self.interruptions, self.presence, self.audit)
        self.exports = Exports(db, clock, config, self.media, self.rate_limits, self.audit)

    def _sweep(self) -> None:
        config, db, clock = self.config, self.db, self.clock
        self.retention = Retention(db, clock, config, self.deletions)
        forget = (self.address_bans.forget, self.staff_sessions.forget, self.deletions.finish)
        jobs = [
            *(PeriodicJob(PAYMENTS_SECONDS, one.sweep) for one in (self.checkouts, self.receipt_mails)),
            PeriodicJob(TEST_SECONDS, self.entitlement.end_tests),
            PeriodicJob(RECORD_SECONDS, self.hourly_figures.record),
            *(PeriodicJob(FORGET_SECONDS, work) for work in (self.retention.sweep, *forget)),
            PeriodicJob(TOMBSTONE_SECONDS, self.tombstones.write),
            PeriodicJob(LOOK_SECONDS, self.scheduled_calls.run),
            PeriodicJob(ALERT_SECONDS, self.alerts.send),
            PeriodicJob(EMAIL_SECONDS, self.decisions.emails.send),
        ]
        checks = [self.bans.sweep, self.blocks.sweep, self.hidden_cards.sweep, self.deletions.sweep]
        who = (self.presence, self.outcomes, self.calls, self.sessions)
        recoveries = (self.site_secret.forget, self.tombstones.apply, self.address_bans.record_again)
        self.sweep = Sweep(db, self.bus, clock, *who, jobs, checks, recoveries)

    @classmethod
    async def open(cls, config: Config, database_url: str, redis_url: str) -> Models:
        """Raises: Unavailable, if PostgreSQL or Redis cannot be reached."""
        db = await Db.open(database_url, size=config.database_pool_size)
        return cls(config, db, Bus(redis_url, process_id=new_id()[:13]), Clock())

    async def close(self) -> None:
        first = (self.payment_provider, self.turn, self.selfies, self.videos, self.recovery)
        for one in (*first, self.passwords, self.staff_passwords, self.mail, self.bus, self.db):
            await one.close()
