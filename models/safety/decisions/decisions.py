"""What follows from decisions: e-mails, removals and their appeals, hand-overs, outcomes of reports."""

from __future__ import annotations

from models.broadcasts import Broadcasts
from models.clock import Clock
from models.mail.alerts import Alerts
from models.mail.mailer import Mailer
from models.postgres.database import Db
from models.profiles.media import Media
from models.profiles.screening.removed_pictures import RemovedPictures
from models.safety.ban_notices import BanNotices
from models.safety.decisions.decision_emails import DecisionEmails
from models.safety.decisions.handovers import Handovers
from models.safety.decisions.own_reports import OwnReports
from models.safety.decisions.removal_appeals import RemovalAppeals
from models.safety.decisions.removals import Removals
from models.security.audit_log import Audit
from models.security.site_secret import SiteSecret
from models.settings.config import Config


class Decisions:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        config: Config,
        broadcasts: Broadcasts,
        media: Media,
        pictures: RemovedPictures,
        audit: Audit,
        alerts: Alerts,
        mailer: Mailer,
        notices: BanNotices,
        secret: SiteSecret,
    ) -> None:
        self.own_reports = OwnReports(db)
        self.handovers = Handovers(secret)
        self.emails = DecisionEmails(db, clock, config, mailer, notices, self.handovers)
        self.removals = Removals(db, clock, broadcasts, media, pictures, audit, self.emails)
        what = (self.removals, pictures, audit, alerts, self.emails)
        self.removal_appeals = RemovalAppeals(db, clock, broadcasts, *what)
