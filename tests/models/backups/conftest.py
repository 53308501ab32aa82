"""Databases with rows of every kind, and other PostgreSQL servers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest

from models.backups.upgrade import OlderPostgres
from models.postgres.copying import Hold, Replacement
from models.postgres.migrations import migrate
from models.processes.data_directory import DataDirectory
from models.processes.embedded import Embedded
from models.processes.embedded_initdb import own_major, program_of
from tests.support.servers import RunningServers, Servers

# Version 16 is in the same wheel as our own; those of Debian are used where they are installed.
INSTALLED = [major for major in range(13, own_major()) if program_of(major)]
# Text that COPY escapes, bytes of all values, tables that refer to each other, an audit chain.
ROWS = """
insert into users (user_id, name, gender, adult_at, handles, created_at)
select md5('user ' || n)::uuid, E'A\\tb\\n\\\\N \\u00e9 \\U0001F98A ' || n, 'female', now(),
    jsonb_build_object('x', E'"\\\\' || n), clock_timestamp()
from generate_series(1, 200) n;
insert into media (media_id, owner_id, kind, content_type, byte_size, created_at)
select md5('media ' || n)::uuid, md5('user ' || n)::uuid, 'selfie', 'image/jpeg', 4096, now()
from generate_series(1, 20) n;
insert into media_chunks (media_id, seq, bytes)
select md5('media ' || n)::uuid, 0, decode(repeat(string_agg(lpad(to_hex(b), 2, '0'), ''), 16), 'hex')
from generate_series(1, 20) n, generate_series(0, 255) b group by n;
update users set selfie_id = media_id from media where owner_id = user_id;
insert into guesses (kind, subject, guessed_at) select 'code', 'x', now() from generate_series(1, 7);
insert into audit_log (at, actor, action, target, reason) select now(), 'operator', 'test', 'none', n::text
from generate_series(1, 3) n;
"""
Fill = Callable[[str], None]


def run(url: str, text: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def filled(servers: Servers) -> str:
    """The URL of the run's database, with users, media, calls and an audit log."""
    run(servers.database_url, ROWS)
    return servers.database_url


@pytest.fixture(scope="package")
def databases(running_servers: RunningServers) -> Iterator[list[str]]:
    """Two more databases of the same server: a move ends the sessions of the one that it leaves."""
    main, names = running_servers.urls.database_url, ("other", "third")
    urls = [main.replace("/postgres?", f"/{name}?") for name in names]
    for name, url in zip(names, urls, strict=True):
        run_alone(main, f"create database {name}")
        migrate(url)
    yield urls
    for name in names:
        run_alone(main, f"drop database {name} with (force)")


@pytest.fixture
def other(databases: list[str]) -> str:
    """The URL of another database, with the site's schema and without rows."""
    return emptied(databases[0])


@pytest.fixture
def third(databases: list[str]) -> str:
    return emptied(databases[1])


def emptied(url: str) -> str:
    with Hold.of(url) as held:
        held.release()
    with Replacement.of(url) as database:
        database.empty()
        database.finish({})
    return url


def run_alone(url: str, text: str) -> None:
    """Outside of a transaction."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        connection.cursor().execute(text)


@contextmanager
def cluster(data: Path, major: int) -> Iterator[str]:
    """The URL of a running PostgreSQL of another version; its directory is made if there is none."""
    with Embedded.start(
        data, postgres=False, redis=False, durable=False, others=[of_major(major)]
    ) as embedded:
        yield embedded.database_url


def of_major(major: int) -> Callable[[DataDirectory], OlderPostgres]:
    class Made(OlderPostgres):
        """initdb of that version, which has no built-in locales before 17."""

        def _initdb(self, aside: Path) -> None:
            program = program_of(major)
            assert program is not None
            rules = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
            command = [str(program.with_name("initdb")), *rules, f"--pgdata={aside}"]
            assert self.place.popen(command, aside, self.log).wait() == 0, self.last_words()

    return Made


@pytest.fixture
def data() -> Iterator[Path]:
    # Not pytest's own directory: the account of PostgreSQL could not enter it.
    with tempfile.TemporaryDirectory(prefix="napalmsky-test-") as home:
        yield Path(home) / "data"
