"""E-mails to account holders through the operator's mail server. The only module that imports smtplib.

Stateless but for its queue. Callers do not wait: e-mails go to one thread, at most 32 are queued, and a
failure is logged without the address. A password is never sent without TLS to a server on another machine.
Without SMTP_URL there is no mail, and `is_on` is False.
"""

from __future__ import annotations

import asyncio
import logging
import smtplib
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from models.settings.config import Config
from models.settings.urls import MailServer, mail_server

logger = logging.getLogger(__name__)
MOST_WAITING = 32
SERVER_SECONDS = 15
CLOSE_SECONDS = 5.0


class Mailer:
    def __init__(self, config: Config) -> None:
        self._server = mail_server(config.smtp_url) if config.smtp_url else None
        self._from = config.mail_from or ""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mail")
        self._room = threading.BoundedSemaphore(MOST_WAITING)

    @property
    def is_on(self) -> bool:
        return self._server is not None

    def send(self, to: str, subject: str, text: str) -> None:
        """Queues an e-mail and returns at once. Delivery is not reported."""
        if self._server is None:
            return
        if not self._room.acquire(blocking=False):
            logger.warning(
                "an e-mail was dropped: %s are waiting already; the mail server may be slow", MOST_WAITING
            )
            return
        self._thread.submit(self._deliver, self._server, self._message(to, subject, text))

    async def close(self) -> None:
        """Waits at most five seconds for the queue. Later e-mails cannot be queued."""
        if self._server is not None:
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await asyncio.wrap_future(self._thread.submit(lambda: None))
            except TimeoutError:
                logger.warning("e-mails were dropped at shutdown: the mail server is too slow")
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _message(self, to: str, subject: str, text: str) -> EmailMessage:
        message = EmailMessage()
        message["From"] = f"Napalm Sky <{self._from}>"
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=self._from.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        return message

    def _deliver(self, at: MailServer, message: EmailMessage) -> None:
        """Blocking. An error's text may contain the address, so only its type is logged."""
        try:
            with _connected(at) as server:
                server.send_message(message)
        except (OSError, smtplib.SMTPException, UnicodeError, ValueError) as error:
            logger.warning("an e-mail could not be sent: %s", type(error).__name__)
        finally:
            self._room.release()


def reach(url: str, seconds: float = 2.0) -> str | None:
    """The reason why the mail server cannot be used, or None. Sends nothing. Blocking."""
    try:
        _connected(mail_server(url), seconds).quit()
    except smtplib.SMTPAuthenticationError:
        return "the server rejects the user or the password"
    except smtplib.SMTPNotSupportedError:
        return "the server offers no TLS or no authentication"
    except ssl.SSLError:
        return "the TLS handshake failed: check smtp:// or smtps:// in SMTP_URL and the server's certificate"
    except (OSError, smtplib.SMTPException, UnicodeError, ValueError):
        return "the server cannot be reached"
    return None


def _connected(at: MailServer, seconds: float = SERVER_SECONDS) -> smtplib.SMTP:
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
        raise smtplib.SMTPNotSupportedError("no TLS for the password")
    server.login(at.user, at.password)
