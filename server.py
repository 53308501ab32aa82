"""The Napalm Sky process: reads the settings once, opens the models, serves, sweeps, drains on SIGTERM.

    python server.py [serve | demo | migrate | check | doctor | payments | codes | refund | admin | …]

The only file that reads the environment. Exit codes: 0 after a clean drain, 2 for invalid settings or a
resource in use.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

try:
    import uvloop
except ModuleNotFoundError:
    print(
        f"This Python ({sys.executable}) has not the libraries of requirements.txt. `make run` installs them "
        "into .venv: write .venv/bin/python instead of python.",
        file=sys.stderr,
    )
    raise SystemExit(2) from None

from handlers.base.application import Site
from handlers.base.handler import NotFoundHandler
from handlers.commands import backups, cli, demo
from handlers.commands.check import CannotStart, check, check_start
from handlers.commands.checklist import LOOKS
from handlers.commands.start_line import log_start
from handlers.commands.surroundings import settle, with_output, without_libpq
from handlers.http.listening import CannotListen, listen, listen_public
from handlers.http.logs import set_up_logs
from handlers.http.metrics import Measures, count_request
from handlers.http.server import SiteServer
from handlers.public.canonical import redirect_other_name
from handlers.routes import routes
from models.backups.archive import BackupError
from models.backups.schedule import scheduled_backups
from models.backups.upgrade import upgrade
from models.errors import Unavailable
from models.postgres.copying import CopyFailed
from models.postgres.migrations import MigrationBlocked, migrate
from models.processes.data_directory import free_owner
from models.processes.embedded import EmbeddedError
from models.processes.metrics_directory import metrics_directory
from models.processes.own_servers import own_servers
from models.processes.robots_process import robots_process
from models.processes.service_urls import Urls, database_of_site, servers, servers_of_site
from models.processes.worker import Limits, Parent
from models.processes.workers import Workers, WorkersFailed, exit_on_signals, hear_signals, hold_replacing
from models.security.site_secret import WrongSecretKey
from models.settings.config import Config, ConfigError
from models.settings.environment import read_config
from models.wiring import Models

logger = logging.getLogger("napalmsky")
# They explain themselves.
FOR_THE_OPERATOR = (
    BackupError, CannotListen, CopyFailed, EmbeddedError, MigrationBlocked, CannotStart, WorkersFailed,
    WrongSecretKey,
)  # fmt: skip
MAX_BODY, DRAIN_SECONDS = 1024 * 1024, 10
HELP = ("help", "-h", "--help")
Ready = Callable[[], None]


def make_site(config: Config, models: Models, metrics: Path | None = None) -> Site:
    """The application with all its URLs. `metrics`: the directory of the metrics of several workers."""
    return redirect_other_name(
        Site(config, models, routes(), NotFoundHandler, count_request, Measures(metrics))
    )


async def serve(
    config: Config,
    urls: Urls,
    sockets: list[socket.socket],
    ready: Ready,
    life: int | None = None,
    metrics: Path | None = None,
) -> None:
    """Runs until SIGTERM, SIGINT, SIGHUP or the end of `life` (a descriptor that closes), then drains within
    ten seconds.
    """
    told, loop = _told_to_stop(), asyncio.get_running_loop()
    if life is not None:
        loop.add_reader(life, lambda: (loop.remove_reader(life), told.set()))  # type: ignore[func-returns-value]
    site = make_site(config, await Models.open(config, urls.database, urls.redis), metrics)
    await site.start()
    server = SiteServer(site, trusted=config.trusted_proxies, max_body_size=MAX_BODY)
    server.add_sockets(sockets)
    ready()
    loop.add_signal_handler(signal.SIGTERM, site.requests.leave, config.drain_wait_seconds, told.set)
    await told.wait()
    server.stop()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            await site.stop()
            await server.close_all_connections()


def _told_to_stop() -> asyncio.Event:
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, told.set)
    return told


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    free_owner()
    command = arguments[0] if arguments else "serve"
    environment = demo.own_data(environment) if command == "demo" else environment
    environment = without_libpq(environment, os.environ)
    if command in cli.COMMANDS:
        return operate(cli.parse(arguments), environment)
    if command in LOOKS:
        return asyncio.run(LOOKS[command](arguments[1:], environment))
    if command not in ("serve", "demo", "migrate", "check", "worker") or len(arguments) > 1:
        named = " | ".join(("serve", "demo", "migrate", "check", *LOOKS, *cli.COMMANDS))
        usage = f"usage: python server.py [{named}]\ndocs/operations.md explains them."
        return _fail(usage, code=0 if command in HELP else 2)
    if command == "check":
        return check(environment)
    try:
        config = read_config(environment)
    except ConfigError as error:
        return _fail(str(CannotStart(error.faults)))
    set_up_logs(config.log_format)
    exit_on_signals()
    try:
        return _run(config, command, environment)
    except FOR_THE_OPERATOR as error:
        return _fail(str(error))
    except Unavailable as error:
        return _fail(_named(error))
    except KeyboardInterrupt:
        return 0


def _named(error: Unavailable) -> str:
    """The cause, if it names its setting; otherwise the two possible settings."""
    is_named = error.message.startswith(("DATABASE_URL", "REDIS_URL"))
    return error.message if is_named else f"{error.message} Check DATABASE_URL and REDIS_URL."


def _run(config: Config, command: str, environment: Mapping[str, str]) -> int:
    if command == "worker":
        return _work(config, environment)
    if command == "demo":
        demo.check_allowed(config)
    check_start(config, environment)
    serves = command in ("serve", "demo")
    sockets = listen(config) if serves else []
    own = own_servers(config, listen_public(config)) if serves else None
    if config.workers > 1:
        hold_replacing()
    if config.database_url is None:
        upgrade(config.data_dir, _tell)
    with servers(config, own.makers if own else ()) as urls, contextlib.ExitStack() as stack:
        migrate(urls.database, echo=_tell)
        if command == "migrate":
            return asyncio.run(_operate(cli.parse(["tombstones", "apply"]), config, urls))
        assert own is not None
        log_start(own.site)
        if command == "demo":
            plan = asyncio.run(demo.plan_of(own.site, urls))
            stack.enter_context(robots_process(plan, environment))
        stack.enter_context(scheduled_backups(config, environment))
        if config.workers == 1:
            uvloop.run(serve(own.site, urls, sockets, lambda: print(_welcome(config), flush=True)))
        else:
            shared = stack.enter_context(metrics_directory(config.data_dir))
            handed_down = {"DATABASE_URL": urls.database, "REDIS_URL": urls.redis, **own.settings}
            handed_down["PROMETHEUS_MULTIPROC_DIR"] = str(shared)
            descriptors = [one.fileno() for one in sockets]
            limits = Limits(stop=Limits.stop + config.drain_wait_seconds)
            Workers(config.workers, {**environment, **handed_down}, descriptors, limits).run(_welcome(config))
    return 0


def _work(config: Config, environment: Mapping[str, str]) -> int:
    """One of several processes (`models.processes.workers`): inherits the listening sockets and the URLs of
    both servers.
    """
    hear_signals()
    assert config.database_url
    assert config.redis_url
    sockets = [socket.socket(fileno=int(number)) for number in environment["NAPALM_LISTEN_FDS"].split(",")]
    parent, urls = Parent(environment), Urls(config.database_url, config.redis_url)
    metrics = Path(environment["PROMETHEUS_MULTIPROC_DIR"])
    uvloop.run(serve(config, urls, sockets, parent.tell_ready, parent.life, metrics))
    return 0


def operate(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Runs an operator's command, with or without a running site."""
    exit_on_signals()
    try:
        config = read_config(environment)
        if args.command in backups.COMMANDS:
            with database_of_site(config) as url:
                code = backups.run(args, config, url, _tell)
            if code or args.command != "restore":
                return code
            # What was deleted since the backup is deleted again.
            args = cli.parse(["tombstones", "apply"])
        with servers_of_site(config) as urls:
            migrate(urls.database, echo=_tell)
            return asyncio.run(_operate(args, config, urls))
    except (ConfigError, EmbeddedError, MigrationBlocked, WrongSecretKey) as error:
        return _fail(str(error))
    except Unavailable as error:
        return _fail(_named(error))


async def _operate(args: argparse.Namespace, config: Config, urls: Urls) -> int:
    models = await Models.open(config, urls.database, urls.redis)
    try:
        return await cli.run(args, models)
    finally:
        await models.close()


def _welcome(config: Config) -> str:
    return f"Napalm Sky is up: {config.base_url}  (Ctrl-C stops it)"


def _tell(text: str) -> None:
    # For the operator; the results of commands go to standard output.
    print(text, file=sys.stderr, flush=True)


def _fail(text: str, code: int = 2) -> int:
    _tell(text)
    return code


if __name__ == "__main__":
    settle(os.environ)
    sys.exit(with_output(lambda: main(sys.argv[1:], os.environ)))
