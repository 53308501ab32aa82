"""Recovery links: requested now, created and sent by e-mail a moment later.

A request does the same work whether there is an account or not: it starts a task. The task runs after a
random delay, so that its work, which is more for a known address, cannot be measured by response times. Tasks
are held in memory: if a process is killed within the delay, no e-mail is sent and the user has to ask again.
The SHA-256 of a link's token is stored. Only the newest link of an account is valid.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import secrets

from models.accounts import email_texts
from models.clock import Clock
from models.concurrency.background_tasks import BackgroundTasks
from models.errors import Unavailable
from models.mail.mailer import Mailer
from models.postgres.database import Db
from models.security.tokens import hash_of
from models.settings.config import Config

logger = logging.getLogger(__name__)
DELAY_SECONDS = (0.25, 1.25)
TRIES = 3
MOST_WAITING = 1000


class RecoveryLinks:
    """Call `close` on shutdown: it sends the waiting links at once."""

    def __init__(self, db: Db, clock: Clock, config: Config, mail: Mailer) -> None:
        self._clock, self._config, self._mail = clock, config, mail
        self._sql = db.statements("accounts.accounts")
        self._tasks = BackgroundTasks()
        self._is_closing = asyncio.Event()

    def ask(self, email_key: str) -> None:
        """Starts the task. Raises: Unavailable if too many are waiting."""
        if len(self._tasks) >= MOST_WAITING:
            raise Unavailable
        self._tasks.spawn("a recovery link", self._later(email_key))

    async def close(self) -> None:
        self._is_closing.set()
        await self._tasks.finished()

    async def _later(self, email_key: str) -> None:
        """Retries, so that a short database outage loses no e-mail."""
        for _ in range(TRIES):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_closing.wait(), random.uniform(*DELAY_SECONDS))
            with contextlib.suppress(Unavailable):
                return await self._send(email_key)
        logger.warning("a recovery link could not be created: PostgreSQL is down")
        return None

    async def _send(self, email_key: str) -> None:
        """Sends the link if the address has an account."""
        token, minutes = secrets.token_urlsafe(32), self._config.recovery_link_minutes
        to = await self._sql.value(
            "put_link",
            email_key=email_key,
            token_hash=hash_of(token),
            seconds=minutes * 60,
            now=self._clock.frozen,
        )
        if to is not None:
            url = f"{self._config.base_url}/recover?link={token}"
            self._mail.send(to, *email_texts.recovery_link(url, minutes))
