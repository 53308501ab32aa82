"""The whole URL space on one page. PRODUCT's contract names every address; a test compares the two."""

from __future__ import annotations

from tornado.routing import URLSpec

from handlers.access import invite_codes, paywall
from handlers.accounts import (
    age,
    confirmations,
    credentials,
    deletions,
    exports,
    onboarding,
    recovery,
    sign_in,
    sign_up,
    terms,
)
from handlers.billing import checkouts, receipts, sandbox, webhook, withdrawals
from handlers.calls import calls, chat, contacts, end, history, relay, turn
from handlers.console import (
    appeal_reviews,
    audit_log,
    bans,
    dashboard,
    member_access,
    members,
    notice_reviews,
    report_reviews,
    staff,
    transparency,
)
from handlers.console import invite_codes as admin_codes
from handlers.console import payments as admin_payments
from handlers.console import sign_in as staff_sessions
from handlers.http.assets import STATIC
from handlers.profiles import me, media, selfies, settings, videos
from handlers.public import connection, csp_reports, health, home, static
from handlers.ringing import invites
from handlers.room import introductions, room
from handlers.safety import appeals, blocks, handovers, notices, removals, reports

UUID = r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"


def routes() -> list[URLSpec]:
    return [
        # First, for the first that fits is taken, and these are asked for most.
        URLSpec(r"/ws/invites", invites.InviteSocket, name="invite_socket"),
        URLSpec(r"/ws/calls/([^/]{1,64})", relay.RelaySocket, name="relay_socket"),
        URLSpec(r"/room/queue", room.QueueHandler, name="queue"),
        URLSpec(r"/", home.HomeHandler, name="home"),
        URLSpec(r"/terms", home.TermsHandler, name="terms"),
        URLSpec(r"/terms/accept", terms.TermsAcceptanceHandler, name="accept_terms"),
        URLSpec(r"/imprint", home.ImprintHandler, name="imprint"),
        URLSpec(r"/privacy", home.PrivacyHandler, name="privacy"),
        URLSpec(r"/stats/live", home.LiveStatsHandler, name="live_stats"),
        URLSpec(r"/onboarding", onboarding.OnboardingHandler, name="onboarding"),
        URLSpec(r"/too-young", onboarding.TooYoungHandler, name="too_young"),
        URLSpec(r"/age", age.AgeHandler, name="age"),
        URLSpec(r"/age/start", age.AgeStartHandler, name="age_start"),
        URLSpec(r"/age/return", age.AgeReturnHandler, name="age_return"),
        URLSpec(r"/auth/guest", sign_up.GuestHandler, name="guest"),
        URLSpec(r"/login", sign_in.LoginPageHandler, name="login_page"),
        URLSpec(r"/auth/upgrade", sign_up.UpgradeHandler, name="upgrade"),
        URLSpec(r"/auth/login", sign_in.LoginHandler, name="login"),
        URLSpec(r"/auth/logout", sign_in.LogoutHandler, name="logout"),
        URLSpec(r"/user/me", me.MeHandler, name="me"),
        URLSpec(r"/settings", settings.SettingsHandler, name="settings"),
        URLSpec(r"/settings/export", exports.ExportHandler, name="export"),
        URLSpec(r"/settings/delete", deletions.DeletionHandler, name="delete"),
        URLSpec(r"/deleted", deletions.DeletedHandler, name="deleted"),
        URLSpec(r"/settings/password", credentials.PasswordHandler, name="password"),
        URLSpec(r"/settings/email", credentials.EmailHandler, name="email"),
        URLSpec(r"/settings/confirm-email", confirmations.SendConfirmationHandler, name="send_confirmation"),
        URLSpec(rf"/confirm/{UUID}", confirmations.ConfirmHandler, name="confirm"),
        URLSpec(r"/settings/recovery-codes", credentials.RecoveryCodesHandler, name="recovery_codes"),
        URLSpec(r"/recover", recovery.RecoverPageHandler, name="recover_page"),
        URLSpec(r"/recover/sent", recovery.LinkSentHandler, name="link_sent"),
        URLSpec(r"/auth/recover", recovery.RecoverHandler, name="recover"),
        URLSpec(r"/auth/recovery-link", recovery.RecoveryLinkHandler, name="recovery_link"),
        URLSpec(r"/auth/reset", recovery.ResetHandler, name="reset"),
        URLSpec(r"/media/selfie", selfies.SelfieHandler, name="selfie"),
        URLSpec(r"/media/video", videos.VideoHandler, name="video"),
        URLSpec(r"/media/video/remove", videos.RemoveVideoHandler, name="remove_video"),
        URLSpec(rf"/media/{UUID}", media.MediaHandler, name="media"),
        URLSpec(r"/paywall", paywall.PaywallHandler, name="paywall"),
        URLSpec(r"/payment/create-checkout", checkouts.CreateCheckoutHandler, name="create_checkout"),
        URLSpec(r"/payment/apply-code", paywall.ApplyCodeHandler, name="apply_code"),
        URLSpec(r"/payment/webhook/?", webhook.StripeWebhookHandler, name="stripe_webhook"),
        URLSpec(r"/payment-success", checkouts.PaymentSuccessHandler, name="payment_success"),
        URLSpec(r"/receipt", receipts.ReceiptHandler, name="receipt"),
        URLSpec(r"/receipt/refund", receipts.RefundHandler, name="refund"),
        URLSpec(r"/withdrawal", withdrawals.WithdrawalHandler, name="withdrawal"),
        URLSpec(r"/test-checkout/([A-Za-z0-9_]{1,100})", sandbox.SandboxHandler, name="test_checkout"),
        URLSpec(r"/invite-codes/([0-9A-Z]{16})/poster\.svg", invite_codes.PosterHandler, name="poster"),
        URLSpec(r"/invite-codes/([0-9A-Z]{16})/qr\.(svg|png)", invite_codes.QrHandler, name="qr"),
        URLSpec(r"/introductions", introductions.IntroductionsHandler, name="introductions"),
        URLSpec(
            r"/introductions/accept", introductions.AcceptIntroductionHandler, name="accept_introduction"
        ),
        URLSpec(r"/room", room.RoomHandler, name="room"),
        URLSpec(r"/turn/credentials", turn.TurnCredentialsHandler, name="turn_credentials"),
        URLSpec(rf"/calls/{UUID}", calls.CallHandler, name="call"),
        URLSpec(rf"/calls/{UUID}/messages", chat.MessagesHandler, name="call_messages"),
        URLSpec(rf"/calls/{UUID}/contacts", contacts.ContactsHandler, name="contacts"),
        URLSpec(rf"/calls/{UUID}/end", end.EndHandler, name="call_end"),
        URLSpec(r"/block", blocks.BlockHandler, name="block"),
        URLSpec(r"/report", reports.ReportHandler, name="report"),
        URLSpec(r"/reports", reports.OwnReportsHandler, name="own_reports"),
        URLSpec(r"/appeal", appeals.AppealHandler, name="appeal"),
        URLSpec(rf"/removals/{UUID}", removals.OwnRemovalHandler, name="own_removal"),
        URLSpec(
            rf"/appeals/(ban|removal)/{UUID}/([A-Za-z0-9_-]{{32}})",
            handovers.HandoverHandler,
            name="handed_appeal",
        ),
        URLSpec(
            rf"/appeals/(removal)/{UUID}/([A-Za-z0-9_-]{{32}})/file",
            handovers.HandedFileHandler,
            name="handed_file",
        ),
        URLSpec(r"/appeal/export", exports.BannedExportHandler, name="banned_export"),
        URLSpec(r"/notice", notices.NoticeHandler, name="notice"),
        URLSpec(r"/notice/([A-Za-z0-9_-]{20,64})", notices.NoticeStatusHandler, name="notice_status"),
        URLSpec(r"/history", history.HistoryHandler, name="history"),
        *console_routes(),
        URLSpec(r"/healthz", health.HealthHandler, name="healthz"),
        URLSpec(r"/readyz", health.ReadyHandler, name="readyz"),
        URLSpec(r"/connection", connection.ConnectionHandler, name="connection"),
        URLSpec(r"/metrics", health.MetricsHandler, name="metrics"),
        URLSpec(r"/csp-report", csp_reports.CspReportHandler, name="csp_report"),
        URLSpec(r"/sw\.js", static.ServiceWorkerHandler, {"path": str(STATIC)}, name="service_worker"),
        URLSpec(
            r"/(favicon\.ico|manifest\.webmanifest|apple-touch-icon[\w-]*\.png)",
            static.RootFileHandler,
            name="root_files",
        ),
        URLSpec(
            r"/static/(?:([0-9a-f]{12})/)?(.*)", static.StaticHandler, {"path": str(STATIC)}, name="static"
        ),
    ]


def console_routes() -> list[URLSpec]:
    return [
        URLSpec(r"/admin", dashboard.DashboardHandler, name="dashboard"),
        URLSpec(r"/admin/sign-in", staff_sessions.SignInHandler, name="staff_sign_in"),
        URLSpec(r"/admin/second-factor", staff_sessions.SecondFactorHandler, name="second_factor"),
        URLSpec(r"/admin/sign-out", staff_sessions.SignOutHandler, name="staff_sign_out"),
        URLSpec(r"/admin/enrol", staff_sessions.EnrolHandler, name="enrol"),
        URLSpec(r"/admin/enrol/qr\.svg", staff_sessions.EnrolQrHandler, name="enrol_qr"),
        URLSpec(r"/admin/reports", report_reviews.ReportQueueHandler, name="report_queue"),
        URLSpec(rf"/admin/reports/{UUID}", report_reviews.ReportReviewHandler, name="report_review"),
        URLSpec(rf"/admin/reports/{UUID}/evidence", report_reviews.EvidenceHandler, name="evidence"),
        URLSpec(rf"/admin/reports/{UUID}/frame\.jpg", report_reviews.FrameHandler, name="frame"),
        URLSpec(rf"/admin/reports/{UUID}/media/{UUID}", report_reviews.HeldMediaHandler, name="held_media"),
        URLSpec(r"/admin/people", members.PeopleHandler, name="people"),
        URLSpec(rf"/admin/people/{UUID}", members.PersonHandler, name="person"),
        URLSpec(
            rf"/admin/people/{UUID}/(selfie\.jpg|video)", members.PersonMediaHandler, name="person_media"
        ),
        URLSpec(rf"/admin/people/{UUID}/remove", members.RemovalHandler, name="removal"),
        URLSpec(rf"/admin/people/{UUID}/access", member_access.MemberAccessHandler, name="member_access"),
        URLSpec(rf"/admin/bans/{UUID}", bans.BanHandler, name="ban"),
        URLSpec(r"/admin/appeals", appeal_reviews.AppealQueueHandler, name="appeal_queue"),
        URLSpec(rf"/admin/appeals/{UUID}", appeal_reviews.AppealVerdictHandler, name="appeal_verdict"),
        URLSpec(
            rf"/admin/removals/{UUID}", appeal_reviews.RemovalVerdictHandler, name="removal_appeal_verdict"
        ),
        URLSpec(rf"/admin/removals/{UUID}/file", appeal_reviews.RemovedFileHandler, name="removed_file"),
        URLSpec(r"/admin/notices", notice_reviews.NoticeQueueHandler, name="notice_queue"),
        URLSpec(rf"/admin/notices/{UUID}", notice_reviews.NoticeDecisionHandler, name="notice_decision"),
        URLSpec(r"/admin/codes", admin_codes.AdminCodesHandler, name="admin_codes"),
        URLSpec(r"/admin/codes/([0-9A-Z]{16})", admin_codes.AdminCodeHandler, name="admin_code"),
        URLSpec(r"/admin/payments", admin_payments.AdminPaymentsHandler, name="admin_payments"),
        URLSpec(
            rf"/admin/payments/{UUID}/evidence\.zip", admin_payments.EvidenceBundleHandler, name="bundle"
        ),
        URLSpec(rf"/admin/payments/{UUID}", admin_payments.AdminRefundHandler, name="admin_refund"),
        URLSpec(r"/admin/staff", staff.StaffHandler, name="staff"),
        URLSpec(rf"/admin/staff/{UUID}", staff.StaffMemberHandler, name="staff_member"),
        URLSpec(r"/admin/transparency", transparency.TransparencyHandler, name="transparency"),
        URLSpec(r"/admin/audit", audit_log.AuditHandler, name="audit"),
    ]
