"""Letters to account holders, by the operator's mail server. The one door to smtplib.

Keeps nothing. Promises that nobody waits for a letter: it is handed to one thread, 32 may wait, and one that
cannot be sent is a line in the log without the address. Refuses to give a password to a server on another
machine without TLS. Without SMTP_URL there is no mail, and `is_on` says so.
"""

from __future__ import annotations

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


class Mail:
    def __init__(self, config: Config) -> None:
        self._server = mail_server(config.smtp_url) if config.smtp_url else None
        self._from = config.mail_from or ""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mail")
        self._room = threading.BoundedSemaphore(MOST_WAITING)

    @property
    def is_on(self) -> bool:
        return self._server is not None

    def send(self, to: str, subject: str, text: str) -> None:
        """Handed over at once; whether it arrives, nobody is told."""
        if self._server is None:
            return
        if not self._room.acquire(blocking=False):
            logger.warning("a letter was dropped: too many wait")
            return
        self._thread.submit(self._deliver, self._server, self._letter(to, subject, text))

    async def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _letter(self, to: str, subject: str, text: str) -> EmailMessage:
        letter = EmailMessage()
        letter["From"] = f"Napalm Sky <{self._from}>"
        letter["To"] = to
        letter["Subject"] = subject
        letter["Date"] = formatdate()
        letter["Message-ID"] = make_msgid(domain=self._from.rpartition("@")[2])
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(text)
        return letter

    def _deliver(self, at: MailServer, letter: EmailMessage) -> None:
        """Blocking. A server's answer may hold the address, so only its kind is logged."""
        try:
            with _connected(at) as server:
                server.send_message(letter)
        except (OSError, smtplib.SMTPException, UnicodeError, ValueError) as error:
            logger.warning("a letter could not be sent: %s", type(error).__name__)
        finally:
            self._room.release()


def reach(url: str, seconds: float = 2.0) -> str | None:
    """Why the mail server cannot be used, or None. Sends nothing. Blocking."""
    try:
        _connected(mail_server(url), seconds).quit()
    except smtplib.SMTPAuthenticationError:
        return "the server refuses the user or the password"
    except smtplib.SMTPNotSupportedError:
        return "the server offers no TLS, or no sign-in"
    except ssl.SSLError:
        return "TLS cannot be agreed on: smtp:// and smtps:// or the certificate do not fit the server"
    except (OSError, smtplib.SMTPException, UnicodeError, ValueError):
        return "the server cannot be reached"
    return None


def _connected(at: MailServer, seconds: float = SERVER_SECONDS) -> smtplib.SMTP:
    """TLS from the start (smtps), or as soon as the server offers it; then signed in, when the URL names
    somebody.
    """
    secure = ssl.create_default_context()
    if at.is_tls:
        server: smtplib.SMTP = smtplib.SMTP_SSL(at.host, at.port, timeout=seconds, context=secure)
    else:
        server = smtplib.SMTP(at.host, at.port, timeout=seconds)
    try:
        _introduce(server, at, secure)
    except BaseException:
        server.close()
        raise
    return server


def _introduce(server: smtplib.SMTP, at: MailServer, secure: ssl.SSLContext) -> None:
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
