"""Connections to the operator's mail server, and why they fail. The only module that imports smtplib.

A password is never sent without TLS to a server on another machine.
"""

from __future__ import annotations

import smtplib
import socket
import ssl

from models.other_services import SMTP, TLS, what_answers
from models.settings.urls import MailServer, mail_server

SERVER_SECONDS = 15
CHECK_SECONDS = 2.0
FAILURES = (OSError, smtplib.SMTPException, UnicodeError, ValueError)
# OpenSSL's X509_verify_cert_error codes.
EXPIRED, OTHER_NAME = (9, 10), (62, 63, 64)
NO_TLS = "no TLS for the password"


def reach(url: str, sender: str | None, seconds: float = CHECK_SECONDS) -> str | None:
    """The reason why the mail server cannot be used, or None. Sends nothing. Blocking."""
    at = mail_server(url)
    try:
        with connected(at, seconds) as server:
            if sender:
                code, _ = server.mail(sender)
                if code != 250:
                    raise smtplib.SMTPSenderRefused(code, b"", sender)
                server.rset()
    except FAILURES as error:
        return cause_of(error, at)
    return None


def connected(at: MailServer, seconds: float = SERVER_SECONDS) -> smtplib.SMTP:
    """With TLS from the start (smtps) or if the server offers it; signed in if the URL has a user."""
    secure = ssl.create_default_context()
    if at.is_tls:
        server: smtplib.SMTP = smtplib.SMTP_SSL(at.host, at.port, timeout=seconds, context=secure)
    else:
        server = smtplib.SMTP(at.host, at.port, timeout=seconds)
    try:
        _sign_in(server, at, secure)
    except BaseException:
        server.close()
        raise
    return server


def _sign_in(server: smtplib.SMTP, at: MailServer, secure: ssl.SSLContext) -> None:
    server.ehlo()
    is_secure = at.is_tls
    if not is_secure and server.has_extn("starttls"):
        server.starttls(context=secure)
        server.ehlo()
        is_secure = True
    if at.user is None:
        return
    if not is_secure and not at.is_loopback:
        raise smtplib.SMTPNotSupportedError(NO_TLS)
    server.login(at.user, at.password)


def cause_of(error: Exception, at: MailServer) -> str:
    """`SMTP_URL: …`, without any address. Blocking: looks at the port if the error does not say enough."""
    setting = "MAIL_FROM" if isinstance(error, smtplib.SMTPSenderRefused) else "SMTP_URL"
    return f"{setting}: {_said_by_server(error) or _certificate(error) or _connection(error, at)}"


def _said_by_server(error: Exception) -> str | None:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "the server rejects the user or the password"
    if isinstance(error, smtplib.SMTPSenderRefused):
        return f"the server does not accept it as the sender (answer {error.smtp_code})"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "the server does not accept the recipient"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        if str(error) == NO_TLS:
            return "the server offers no TLS, and a password is not sent without it"
        return "the server offers no sign-in (AUTH): leave out the user and the password, or use another port"
    if isinstance(error, smtplib.SMTPResponseException) and 400 <= error.smtp_code < 600:
        return f"the server refuses this machine or its e-mails (answer {error.smtp_code})"
    return None


def _certificate(error: Exception) -> str | None:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return None
    why = {EXPIRED: "it is not valid at this time", OTHER_NAME: "it is for another host name"}
    texts = [text for codes, text in why.items() if error.verify_code in codes]
    return (
        f"the server's certificate is not accepted: {(texts or ['it is not signed by a known authority'])[0]}"
    )


def _connection(error: Exception, at: MailServer) -> str:
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return "its host cannot be found by name"
    if isinstance(error, ConnectionRefusedError):
        return "the server cannot be reached: nothing listens at its host and port"
    kind = what_answers(at.host, at.port)
    if kind == SMTP and at.is_tls:
        return "the server there does not begin with TLS: use smtp:// (it may still offer STARTTLS)"
    if kind == TLS and not at.is_tls:
        return "the server there expects TLS from the start: use smtps://"
    if kind not in (None, SMTP, TLS):
        return f"{kind} answers at its host and port, not a mail server"
    if isinstance(error, ssl.SSLError):
        return "the TLS handshake failed: check smtp:// or smtps:// and the server's certificate"
    if isinstance(error, TimeoutError):
        return (
            "the server cannot be reached: it does not answer in time (a firewall; providers often block 25)"
        )
    return "the server cannot be reached"
