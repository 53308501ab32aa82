"""Security headers of every response: the content security policy (CSP Level 3), HSTS and others."""

from __future__ import annotations

from models.settings.config import Config


def security_headers(config: Config) -> dict[str, str]:
    """Sent with every answer. No inline scripts or styles, no third-party content, no framing."""
    socket = config.base_url.replace("http", "ws", 1)
    form_targets = "'self' https://checkout.stripe.com"
    if config.stripe_api_base != "https://api.stripe.com":
        form_targets += f" {config.stripe_api_base}"
    policy = (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        f"media-src 'self' blob:; connect-src 'self' {socket}; font-src 'self'; object-src 'none'; "
        f"base-uri 'none'; form-action {form_targets}; frame-ancestors 'none'; report-uri /csp-report"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(self), microphone=(self), screen-wake-lock=(self), geolocation=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if config.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers
