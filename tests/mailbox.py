"""A mail server of our own on a free port, and what has come."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Semaphore
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

SECONDS = 10.0


class Mailbox:
    """`url` for SMTP_URL; `await letter()` waits for the next one."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[str] = []
        self._come = Semaphore(0)
        self._controller: Controller | None = None

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        letter = message_from_bytes(content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.recipients += envelope.rcpt_tos
        self.letters.append(letter)
        self._come.release()
        return "250 Taken"

    @property
    def url(self) -> str:
        assert self._controller is not None
        return f"smtp://localhost:{self._controller.port}"

    async def letter(self) -> str:
        """The text of the next letter; it is taken out of the box."""
        await asyncio.to_thread(self._come.acquire, timeout=SECONDS)
        return str(self.letters.pop(0).get_content()).replace("\r\n", "\n")

    @contextmanager
    def open(self) -> Iterator[Mailbox]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=port, ready_timeout=SECONDS * 3)
        self._controller.start()
        try:
            yield self
        finally:
            self._controller.stop()


def link_in(text: str) -> str:
    """The path of the first address in a letter."""
    line = next(line for line in text.splitlines() if line.startswith("http"))
    return "/" + line.split("/", 3)[3]
