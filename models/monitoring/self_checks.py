"""The faults of the site's surroundings, looked for once a minute in every process.

Each is the name of a cause in `handlers.http.misconfigurations`, which logs, counts and shows it. A fault of
one check never keeps the others from running.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import socket
import ssl
import time
from collections.abc import Callable

from models.backups import schedule
from models.calls.turn import credential
from models.clock import Clock
from models.concurrency.background_tasks import BackgroundTasks
from models.errors import Unavailable
from models.monitoring.turn_allocation import AllocationResult, TurnServer, allocate
from models.postgres.database import Db
from models.redis import keys
from models.redis.client import Bus
from models.settings.config import Config
from models.settings.own_servers import runs_caddy
from models.settings.web_origins import host_of

logger = logging.getLogger(__name__)
EVERY_SECONDS = 60.0
CREDENTIAL_SECONDS = 60
LEAST_FREE_BYTES = 200 * 1024 * 1024
MOST_OF_MEMORY = 0.9
HANDSHAKE_SECONDS = 3.0
ALIVE_SECONDS = 4.0


class SelfChecks:
    def __init__(self, config: Config, db: Db, bus: Bus, clock: Clock) -> None:
        self._config, self._bus, self._clock = config, bus, clock
        self._sql = db.statements("monitoring.processes")
        self._tasks = BackgroundTasks()
        self._elsewhere: set[str] = set()
        self._foreign: set[str] = set()

    def start(self, note: Callable[[str], None]) -> None:
        """Calls `note` with each fault, once a minute."""

        async def look() -> None:
            for name in await self.faults():
                note(name)

        self._tasks.repeat("self-checks", look, EVERY_SECONDS)

    async def stop(self) -> None:
        await self._tasks.stop()

    async def faults(self) -> list[str]:
        """The faults of now."""
        servers = (self._turn(), self._certificate(), self._redis_memory(), self._redis_shared())
        found = await asyncio.gather(*servers, self._disk(), self._backup(), return_exceptions=True)
        for one in found:
            if isinstance(one, BaseException) and not isinstance(one, Unavailable | OSError):
                logger.error("a self-check failed", exc_info=one)
        return [one for one in found if isinstance(one, str)]

    async def _turn(self) -> str | None:
        servers = [server for url in self._config.turn_urls if (server := TurnServer.of(url))]
        username = f"{int(self._clock.now().timestamp()) + CREDENTIAL_SECONDS}:check-{secrets.token_hex(8)}"
        password = credential(self._config.turn_secret or "", username)
        asked = (asyncio.to_thread(self._allocate, server, username, password) for server in servers)
        results = await asyncio.gather(*asked)
        if "refused" in results:
            return "turn_refused"
        return "turn_silent" if "silent" in results else None

    def _allocate(self, server: TurnServer, username: str, password: str) -> AllocationResult:
        """A server on this machine may not be reachable from here under its public name."""
        result = allocate(server, username, password)
        if result == "silent" and server.host == host_of(self._config.base_url).strip("[]"):
            return allocate(server._replace(host="127.0.0.1"), username, password)
        return result

    async def _certificate(self) -> str | None:
        """Whether our own Caddy has a certificate for BASE_URL; who signed it is the browser's to judge."""
        if not runs_caddy(self._config):
            return None
        return None if await asyncio.to_thread(_handshakes, self._config) else "certificate"

    async def _redis_memory(self) -> str | None:
        told = bytes(await self._bus.command("info", "memory"))
        facts = dict(line.split(b":", 1) for line in told.split(b"\r\n") if b":" in line)
        most = int(facts.get(b"maxmemory", 0))
        is_full = most > 0 and int(facts.get(b"used_memory", 0)) > MOST_OF_MEMORY * most
        return "redis_memory" if is_full else None

    async def _redis_shared(self) -> str | None:
        """Processes of this database that are not in this Redis: two sites that do not see each other. And
        processes of another database in this Redis: two sites that see each other's users.
        """
        alive = set(await self._sql.all("alive", str, within_seconds=ALIVE_SECONDS))
        here = {bytes(name).decode() for name in await self._bus.command("zrange", keys.PROCESSES, 0, -1)}
        # One that has just started, or has just died, is not found at the next look.
        before, self._elsewhere = self._elsewhere, alive - here
        others, self._foreign = self._foreign, here - alive
        if before & self._elsewhere:
            return "redis_shared"
        return "redis_foreign" if others & self._foreign else None

    async def _disk(self) -> str | None:
        free = (await asyncio.to_thread(shutil.disk_usage, self._config.data_dir)).free
        return "disk_space" if free < LEAST_FREE_BYTES else None

    async def _backup(self) -> str | None:
        directory, hours = self._config.backup_dir, self._config.backup_hours
        if directory is None:
            return None
        return "backup" if await asyncio.to_thread(schedule.is_overdue, directory, hours) else None


def _handshakes(config: Config) -> bool:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    deadline = time.monotonic() + HANDSHAKE_SECONDS
    host = "127.0.0.1" if config.host in ("0.0.0.0", "::", "localhost") else config.host
    try:
        with (
            socket.create_connection((host, config.https_port), HANDSHAKE_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host_of(config.base_url).strip("[]")),
        ):
            return time.monotonic() < deadline
    except OSError:
        return False
