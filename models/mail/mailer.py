"""E-mails to account holders through the operator's mail server.

Stateless but for its queue. Callers do not wait: e-mails go to one thread, at most 32 are queued, and a
failure is logged with its cause, without the address (`models.mail.mail_server`).
Without SMTP_URL there is no mail, and `is_on` is False.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from models.mail.mail_server import FAILURES, cause_of, connected
from models.settings.config import Config
from models.settings.urls import MailServer, mail_server

logger = logging.getLogger(__name__)
MOST_WAITING = 32
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
        self._queue(to, subject, text)

    async def deliver(self, to: str, subject: str, text: str) -> bool:
        """Sends an e-mail. False: it was not handed over, and the log has the cause."""
        delivery = self._queue(to, subject, text)
        return delivery is not None and await asyncio.wrap_future(delivery)

    def _queue(self, to: str, subject: str, text: str) -> Future[bool] | None:
        if self._server is None:
            return None
        if not self._room.acquire(blocking=False):
            logger.warning(
                "an e-mail was dropped: %s are waiting already; the mail server may be slow", MOST_WAITING
            )
            return None
        return self._thread.submit(self._deliver, self._server, self._message(to, subject, text))

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

    def _deliver(self, at: MailServer, message: EmailMessage) -> bool:
        """Blocking. An error's text may contain the address, so only its type and cause are logged."""
        try:
            with connected(at) as server:
                server.send_message(message)
        except FAILURES as error:
            facts = {"cause": cause_of(error, at)}
            logger.warning("an e-mail could not be sent: %s", type(error).__name__, extra=facts)
            return False
        else:
            return True
        finally:
            self._room.release()
