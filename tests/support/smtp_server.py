"""A mail server on a free port, and the messages it received."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Condition, Semaphore
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope

from tests.support.listeners import stop_listening

SECONDS = 10.0
CONFIRM = "Confirm your e-mail address"


class Visits(SMTP):
    """One connection, which the mailbox counts."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.event_handler.came(1)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.event_handler.came(-1)


class Counting(Controller):
    def factory(self) -> SMTP:
        return Visits(self.handler, **self.SMTP_kwargs)


class Mailbox:
    """`url` for SMTP_URL; `await letter()` waits for the next message."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.refuses = False
        self._come = Semaphore(0)
        self._visitors = 0
        self._changed = Condition()
        self._controller: Controller | None = None

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        if self.refuses:
            return "554 Not now"
        content = envelope.content
        assert isinstance(content, bytes)
        letter = message_from_bytes(content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.recipients += envelope.rcpt_tos
        self.letters.append(letter)
        self._come.release()
        return "250 Taken"

    def came(self, number: int) -> None:
        with self._changed:
            self._visitors += number
            self._changed.notify_all()

    @property
    def url(self) -> str:
        assert self._controller is not None
        return f"smtp://localhost:{self._controller.port}"

    async def letter(self) -> str:
        """The text of the next message, which is removed from the mailbox. Confirmations of addresses, which
        every new account gets, are passed over.
        """
        while True:
            letter = await self.any_letter()
            if letter["Subject"] != CONFIRM:
                return str(letter.get_content()).replace("\r\n", "\n")

    async def any_letter(self) -> EmailMessage:
        """The next message, which is removed from the mailbox."""
        await asyncio.to_thread(self._come.acquire, timeout=SECONDS)
        return self.letters.pop(0)

    @contextmanager
    def open(self) -> Iterator[Mailbox]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._controller = Counting(self, hostname="127.0.0.1", port=port, ready_timeout=SECONDS * 3)
        self._controller.start()
        try:
            yield self
        finally:
            listening = stop_listening(self._controller.server)
            asyncio.run_coroutine_threadsafe(listening, self._controller.loop).result(SECONDS)
            # A message that no test has waited for may still be under way.
            with self._changed:
                self._changed.wait_for(lambda: self._visitors == 0, SECONDS)
            self._controller.stop()


def link_in(text: str) -> str:
    """The path of the first link in a message."""
    line = next(line for line in text.splitlines() if line.startswith("http"))
    return "/" + line.split("/", 3)[3]
