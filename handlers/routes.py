"""The whole URL space on one page. PRODUCT's contract names every address; a test compares the two."""

from __future__ import annotations

from tornado.routing import URLSpec

from handlers import (
    account_changes,
    accounts,
    calls,
    checkout,
    health,
    history,
    home,
    invite_codes,
    invite_socket,
    media,
    onboarding,
    payments,
    recovery,
    relay_socket,
    room,
    settings,
    static,
    stripe_webhook,
    turn,
    users,
)

UUID = r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"


def routes() -> list[URLSpec]:
    return [
        URLSpec(r"/", home.HomeHandler, name="home"),
        URLSpec(r"/terms", home.TermsHandler, name="terms"),
        URLSpec(r"/privacy", home.PrivacyHandler, name="privacy"),
        URLSpec(r"/stats/live", home.LiveStatsHandler, name="live_stats"),
        URLSpec(r"/onboarding", onboarding.OnboardingHandler, name="onboarding"),
        URLSpec(r"/auth/guest", accounts.GuestHandler, name="guest"),
        URLSpec(r"/login", accounts.LoginPageHandler, name="login_page"),
        URLSpec(r"/auth/upgrade", accounts.UpgradeHandler, name="upgrade"),
        URLSpec(r"/auth/login", accounts.LoginHandler, name="login"),
        URLSpec(r"/auth/logout", accounts.LogoutHandler, name="logout"),
        URLSpec(r"/user/me", users.MeHandler, name="me"),
        URLSpec(r"/settings", settings.SettingsHandler, name="settings"),
        URLSpec(r"/settings/password", account_changes.PasswordHandler, name="password"),
        URLSpec(r"/settings/email", account_changes.EmailHandler, name="email"),
        URLSpec(r"/settings/recovery-codes", account_changes.RecoveryCodesHandler, name="recovery_codes"),
        URLSpec(r"/recover", recovery.RecoverPageHandler, name="recover_page"),
        URLSpec(r"/recover/sent", recovery.LinkSentHandler, name="link_sent"),
        URLSpec(r"/auth/recover", recovery.RecoverHandler, name="recover"),
        URLSpec(r"/auth/recovery-link", recovery.RecoveryLinkHandler, name="recovery_link"),
        URLSpec(r"/auth/reset", recovery.ResetHandler, name="reset"),
        URLSpec(r"/media/selfie", media.SelfieHandler, name="selfie"),
        URLSpec(rf"/media/{UUID}", media.MediaHandler, name="media"),
        URLSpec(r"/paywall", payments.PaywallHandler, name="paywall"),
        URLSpec(r"/payment/create-checkout", payments.CreateCheckoutHandler, name="create_checkout"),
        URLSpec(r"/payment/apply-code", payments.ApplyCodeHandler, name="apply_code"),
        URLSpec(r"/payment/webhook", stripe_webhook.StripeWebhookHandler, name="stripe_webhook"),
        URLSpec(r"/payment-success", payments.PaymentSuccessHandler, name="payment_success"),
        URLSpec(r"/test-checkout/([A-Za-z0-9_]{1,100})", checkout.TestCheckoutHandler, name="test_checkout"),
        URLSpec(r"/invite-codes/([0-9A-Z]{16})/qr\.(svg|png)", invite_codes.QrHandler, name="qr"),
        URLSpec(r"/room", room.RoomHandler, name="room"),
        URLSpec(r"/room/queue", room.QueueHandler, name="queue"),
        URLSpec(r"/turn/credentials", turn.TurnCredentialsHandler, name="turn_credentials"),
        URLSpec(rf"/calls/{UUID}", calls.CallHandler, name="call"),
        URLSpec(r"/history", history.HistoryHandler, name="history"),
        URLSpec(r"/ws/invites", invite_socket.InviteSocket, name="invite_socket"),
        URLSpec(r"/ws/calls/([^/]{1,64})", relay_socket.RelaySocket, name="relay_socket"),
        URLSpec(r"/healthz", health.HealthHandler, name="healthz"),
        URLSpec(r"/readyz", health.ReadyHandler, name="readyz"),
        URLSpec(r"/metrics", health.MetricsHandler, name="metrics"),
        URLSpec(r"/csp-report", health.CspReportHandler, name="csp_report"),
        URLSpec(r"/(favicon\.ico|manifest\.webmanifest)", static.RootFileHandler, name="root_files"),
        URLSpec(r"/static/(.*)", static.StaticHandler, {"path": str(static.ROOT)}, name="static"),
    ]
