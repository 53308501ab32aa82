"""Napalm Sky's process: read the settings once, open the models, serve, sweep, drain on SIGTERM.

    python server.py [serve | migrate | check]

The only file that reads the environment. Exit codes: 0 after a clean drain, 2 for faulty settings or
something in use.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping

import tornado.httpserver
import tornado.netutil
import uvloop
from tornado.web import Application

from handlers.base import NotFoundHandler
from handlers.hub import Hub
from handlers.logs import set_up_logs
from handlers.metrics import count_request
from handlers.origins import security_headers
from handlers.pages import Pages
from handlers.routes import routes
from models.config import Config, ConfigError
from models.embedded import Embedded, EmbeddedError
from models.errors import Unavailable
from models.migrations import migrate
from models.wiring import Models

logger = logging.getLogger("napalmsky")
MAX_BODY = 1024 * 1024
DRAIN_SECONDS = 10


class Site(Application):
    """Everything a handler may ask for: config, models, pages, hub."""

    def __init__(self, config: Config, models: Models) -> None:
        self.config = config
        self.models = models
        self.pages = Pages(config)
        self.hub = Hub(models)
        self.security_headers = security_headers(config)
        self.session_cookie = "__Host-session" if config.is_secure else "session"
        super().__init__(
            routes(),
            default_handler_class=NotFoundHandler,
            xsrf_cookies=True,
            xsrf_cookie_name="__Host-xsrf" if config.is_secure else "_xsrf",
            xsrf_cookie_kwargs={"samesite": "Lax", "secure": config.is_secure, "httponly": True, "path": "/"},
            log_function=count_request,
        )

    async def start(self) -> None:
        """Begins to listen for news and to sweep; before the first request."""
        await self.hub.open()
        await self.models.sweep.prepare()
        self.models.sweep.start()

    async def stop(self) -> None:
        """Tells every socket 1001, hands its seats over to the grace, stops sweeping, frees everything."""
        await self.hub.drain()
        await self.models.sweep.stop()
        await self.models.close()


def listen(config: Config) -> list[socket.socket]:
    """Raises SystemExit(2) with a plain line when the port is in use."""
    try:
        return tornado.netutil.bind_sockets(config.port, config.host, reuse_port=False)
    except OSError as error:
        raise SystemExit(
            _fail(f"Port {config.port} on {config.host} is in use or not allowed ({error.strerror}).")
        ) from error


async def serve(config: Config, database_url: str, redis_url: str) -> None:
    sockets = listen(config)
    site = Site(config, await Models.open(config, database_url, redis_url))
    await site.start()
    server = tornado.httpserver.HTTPServer(
        site, max_body_size=MAX_BODY, idle_connection_timeout=75, body_timeout=60
    )
    server.add_sockets(sockets)
    logger.info("serving", extra={"base_url": config.base_url})
    print(f"Napalm Sky is up: {config.base_url}  (Ctrl-C stops it)", flush=True)
    await _until_told_to_stop()
    server.stop()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            await site.stop()
            await server.close_all_connections()


async def _until_told_to_stop() -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await told.wait()


@contextlib.contextmanager
def servers(config: Config):  # type: ignore[no-untyped-def]
    """(database URL, Redis URL): the operator's, or embedded ones that live as long as the block."""
    if config.database_url and config.redis_url:
        yield config.database_url, config.redis_url
        return
    embedded = Embedded.start(config.data_dir, postgres=not config.database_url, redis=not config.redis_url)
    try:
        yield config.database_url or embedded.database_url, config.redis_url or embedded.redis_url
    finally:
        embedded.stop()


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    command = arguments[0] if arguments else "serve"
    if command not in ("serve", "migrate", "check"):
        return _fail("usage: python server.py [serve | migrate | check]")
    try:
        config = Config.read(environment)
    except ConfigError as error:
        return _fail("These settings cannot be used:\n" + "\n".join(f"  {fault}" for fault in error.faults))
    set_up_logs()
    return 0 if command == "check" else _run(config, command)


def _run(config: Config, command: str) -> int:
    try:
        with servers(config) as (database_url, redis_url):
            migrate(database_url)
            if command == "serve":
                uvloop.run(serve(config, database_url, redis_url))
    except EmbeddedError as error:
        return _fail(str(error))
    except Unavailable as error:
        return _fail(f"{error.message} Check DATABASE_URL and REDIS_URL.")
    return 0


def _fail(text: str) -> int:
    print(text, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
