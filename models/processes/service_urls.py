"""The URLs of PostgreSQL and Redis: the operator's, or those of embedded servers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from models.processes.child_process import Server
from models.processes.data_directory import DataDirectory
from models.processes.embedded import Embedded, EmbeddedInUse
from models.settings.config import Config


class Urls(NamedTuple):
    """The URLs of PostgreSQL and Redis."""

    database: str
    redis: str


# During a rolling restart a new worker runs beside an old one that drains; commands run beside the site.
ROLLING, COMMANDS = 2, 15
Makers = Sequence[Callable[[DataDirectory], Server]]


@contextlib.contextmanager
def servers(config: Config, others: Makers = ()) -> Iterator[Urls]:
    """The operator's servers, or embedded ones that run as long as the block, as `others` do. Raises:
    EmbeddedError.
    """
    if config.database_url and config.redis_url and not others:
        yield Urls(config.database_url, config.redis_url)
        return
    with Embedded.start(
        config.data_dir,
        postgres=not config.database_url,
        redis=not config.redis_url,
        others=others,
        connections=config.database_connections + ROLLING * config.database_pool_size + COMMANDS,
    ) as embedded:
        yield Urls(config.database_url or embedded.database_url, config.redis_url or embedded.redis_url)


@contextlib.contextmanager
def servers_of_site(config: Config) -> Iterator[Urls]:
    """The servers that the running site uses, otherwise as `servers`. Raises: EmbeddedError."""
    with contextlib.ExitStack() as stack:
        try:
            urls = stack.enter_context(servers(config))
        except EmbeddedInUse:
            database, redis = Embedded.running(config.data_dir)
            urls = Urls(config.database_url or database, config.redis_url or redis)
        yield urls


@contextlib.contextmanager
def database_of_site(config: Config) -> Iterator[str]:
    """The URL of the site's PostgreSQL alone, whether the site runs or not. Raises: EmbeddedError."""
    if config.database_url:
        yield config.database_url
        return
    with contextlib.ExitStack() as stack:
        try:
            url = stack.enter_context(Embedded.start(config.data_dir, redis=False)).database_url
        except EmbeddedInUse:
            url, _ = Embedded.running(config.data_dir)
        yield url
