"""Faults of PostgreSQL and Redis: each has its own text, with the setting and no value."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import redis

from models.checks.services import check_services
from models.errors import Unavailable
from models.findings import Findings
from models.postgres.connection_errors import cause_of
from models.postgres.migrations import migrate
from models.processes.data_directory import Place
from models.processes.embedded_servers import Postgres, valkey_binary
from models.redis.requirements import check_redis
from tests.conftest import Servers

PASSWORD = "pa-ss/word"
ENCODED = "pa-ss%2Fword"
HBA = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


def free_port() -> int:
    """Below 55,000: a cluster uses a second port, 10,000 above."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port < 55_000:
            return port


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class TcpPostgres(Postgres):
    """With a port, passwords, no TLS, and few connections."""

    port = 0

    def command(self) -> list[str]:
        hba = self.place.data / "hba.conf"
        hba.write_text(HBA)
        hba.chmod(0o644)
        more = {"listen_addresses": "127.0.0.1", "port": self.port, "hba_file": hba, "max_connections": 12}
        return [*super().command(), *(f"--{name}={value}" for name, value in more.items())]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TcpPostgres]:
    server = TcpPostgres(Place.find(tmp_path_factory.mktemp("tcp").resolve(), durable=False))
    server.port = free_port()
    server.start()
    server.wait_ready(30)
    run(
        server,
        f"create role sky login password '{PASSWORD}'",
        "create role weak login",
    )
    run(server, f"alter role weak password '{PASSWORD}'", "create role single login connection limit 0")
    run(server, f"alter role single password '{PASSWORD}'", "create database mine owner sky")
    run(
        server,
        "create database old encoding 'SQL_ASCII' locale 'C' template template0",
        "create database closed",
    )
    run(server, "revoke connect on database closed from public", "create database fixed owner sky")
    run(server, "alter database fixed set default_transaction_read_only = on")
    yield server
    server.ask_to_stop()
    server.wait_stopped(time.monotonic() + 4)


def run(server: TcpPostgres, *statements: str) -> None:
    admin = f"postgresql://postgres@/postgres?host={server.place.sockets}&port={server.port}"
    with closing(psycopg2.connect(admin)) as connection:
        connection.autocommit = True
        for statement in statements:
            connection.cursor().execute(statement)


def url(
    server: TcpPostgres, *, user: str = "sky", password: str = ENCODED, database: str = "mine", more: str = ""
) -> str:
    return f"postgresql://{user}:{password}@127.0.0.1:{server.port}/{database}{more}"


def refused(found: Findings) -> str:
    (text,) = found.refused
    assert text.startswith(("DATABASE_URL: ", "REDIS_URL: "))
    for secret in ("pa-ss", "sky", "127.0.0.1", "mine", "weak"):
        assert secret not in text
    return text


def test_a_good_database(postgres: TcpPostgres) -> None:
    found = check_services(url(postgres), None)
    assert found == Findings(notes=found.notes)
    assert [note for note in found.notes if "max_connections" in note]


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"password": "wrong"}, "the user or the password is wrong"),
        ({"password": ""}, "the user or the password is wrong"),
        ({"user": "nobody"}, "the user or the password is wrong"),
        ({"database": "nowhere"}, "no such database"),
        ({"database": "closed"}, "may not connect to this database"),
        ({"user": "single"}, "no connection left"),
        ({"more": "?sslmode=require"}, "TLS cannot be agreed on"),
        ({"more": "?sslmode=verify-full&sslrootcert=/nowhere"}, "TLS cannot be agreed on"),
        ({"more": "?sslmode=sometimes"}, "libpq cannot use one of its parts"),
        ({"user": "weak"}, "may not create tables"),
        ({"more": "?options=-csearch_path%3Dnowhere"}, "search_path names no schema"),
        ({"database": "old"}, "encoding must be UTF8"),
        ({"database": "fixed"}, "read-only"),
    ],
)
def test_a_database_that_cannot_be_used(postgres: TcpPostgres, changes: dict[str, str], cause: str) -> None:
    """`old` belongs to another role: two faults."""
    found = check_services(url(postgres, **changes), None)
    if changes.get("database") == "old":
        found = Findings(found.refused[:1])
    assert cause in refused(found)


def test_the_start_reports_the_same(postgres: TcpPostgres) -> None:
    for changes, cause in (
        ({"password": "wrong"}, "password is wrong"),
        ({"user": "weak"}, "may not create or change"),
    ):
        with pytest.raises(Unavailable, match=rf"DATABASE_URL: .*{cause}"):
            migrate(url(postgres, **changes))


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        ("postgresql://u@127.0.0.1:1/d", "cannot be reached"),
        ("postgresql://u@/d?host=/nowhere", "cannot be reached"),
        ("postgresql://u@no.such.name.invalid/d", "cannot be found by name"),
        ("service=nowhere", "libpq cannot use one of its parts"),
        ("redis://127.0.0.1:1", "cannot be reached"),
        ("unix:///nowhere/redis.sock", "cannot be reached"),
        ("redis://no.such.name.invalid", "cannot be found by name"),
    ],
)
def test_no_server_at_the_address(address: str, cause: str) -> None:
    is_redis = address.startswith(("redis", "unix"))
    found = check_services(None, address) if is_redis else check_services(address, None)
    assert cause in refused(found)


def test_a_silent_server_takes_five_seconds_at_most() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        began = time.monotonic()
        found = check_services(
            f"postgresql://u@127.0.0.1:{port}/d?connect_timeout=60", f"redis://127.0.0.1:{port}"
        )
        assert time.monotonic() - began < 5.5
    assert [text.partition(":")[0] for text in found.refused] == ["DATABASE_URL", "REDIS_URL"]


def test_a_message_in_another_language_is_still_a_fault() -> None:
    assert cause_of(psycopg2.OperationalError("FATAL: Passwort-Authentifizierung")).startswith(
        "DATABASE_URL: "
    )


# -- Redis --


RunRedis = Callable[..., str]


@pytest.fixture
def run_redis(tmp_path: Path) -> Iterator[RunRedis]:
    """`run_redis("--databases", "1")`: the URL of a real server with these options."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*options: str) -> str:
        port, home = free_port(), tmp_path / str(len(running))
        home.mkdir()
        program = str(valkey_binary())
        command = [program, "--port", str(port), "--dir", str(home), "--save", "", *options]
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=home))
        until = time.monotonic() + 10
        while not is_listening(port) and time.monotonic() < until:
            time.sleep(0.02)
        return f"127.0.0.1:{port}"

    yield start
    for process in running:
        process.terminate()
        process.wait()


def test_a_good_redis(servers: Servers) -> None:
    assert check_services(None, servers.redis_url) == Findings()
    with redis.Redis.from_url(servers.redis_url) as client:
        assert client.keys("*") == []


def test_a_redis_that_evicts(run_redis: RunRedis) -> None:
    found = check_redis(f"redis://{run_redis('--maxmemory-policy', 'allkeys-lru')}")
    assert found.refused == ()
    assert "noeviction" in found.to_mend[0]


def test_faults_of_redis(run_redis: RunRedis) -> None:
    plain = run_redis("--requirepass", PASSWORD, "--databases", "1")
    assert "password is wrong" in refused(check_redis(f"redis://{plain}"))
    assert "password is wrong" in refused(check_redis(f"redis://:wrong@{plain}"))
    assert "no such database number" in refused(check_redis(f"redis://:{ENCODED}@{plain}/5"))
    assert "a port without TLS" in refused(check_redis(f"rediss://:{ENCODED}@{plain}"))
    assert check_redis(f"redis://:{ENCODED}@{plain}") == Findings()
    assert "Cluster" in refused(check_redis(f"redis://{run_redis('--cluster-enabled', 'yes')}"))
    host, port = plain.split(":")
    replica = run_redis("--replicaof", host, port, "--masterauth", PASSWORD)
    assert "read-only replica" in refused(check_redis(f"redis://{replica}"))


def test_a_user_of_redis_without_the_commands(run_redis: RunRedis) -> None:
    place = run_redis()
    with redis.Redis.from_url(f"redis://{place}") as client:
        client.execute_command(
            "ACL",
            "SETUSER",
            "some",
            "on",
            ">pw",
            "~ns:*",
            "resetchannels",
            "&ns:*",
            "+@all",
            "-zadd",
            "-publish",
        )
        client.execute_command("ACL", "SETUSER", "keys", "on", ">pw", "~other:*", "&*", "+@all")
        client.execute_command("ACL", "SETUSER", "deaf", "on", ">pw", "~ns:*", "resetchannels", "+@all")
        client.execute_command(
            "ACL", "SETUSER", "quiet", "on", ">pw", "~ns:*", "resetchannels", "&ns:*", "+@all", "-info"
        )
    assert "may not use ZADD, PUBLISH on" in refused(check_redis(f"redis://some:pw@{place}"))
    assert "SET, GET" in refused(check_redis(f"redis://keys:pw@{place}"))
    assert "SUBSCRIBE" in refused(check_redis(f"redis://deaf:pw@{place}"))
    quiet = check_redis(f"redis://quiet:pw@{place}")
    assert (quiet.refused, quiet.to_mend) == ((), ())
    assert "INFO" in quiet.notes[0]


def answering(info: bytes) -> str:
    """The address of a server that answers PONG and `info` to one client."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        client, _ = listening.accept()
        with client, listening:
            while asked := client.recv(65536):
                for name in [line for line in asked.split(b"\r\n") if line[:1].isalpha()]:
                    kind = name.upper()
                    if kind == b"PING":
                        client.sendall(b"+PONG\r\n")
                    elif kind == b"INFO":
                        client.sendall(b"$%d\r\n%b\r\n" % (len(info), info))
                    elif kind in (b"HELLO", b"CLIENT"):
                        client.sendall(b"-ERR unknown command\r\n")

    threading.Thread(target=serve, daemon=True).start()
    return f"redis://127.0.0.1:{listening.getsockname()[1]}?protocol=2"


def test_a_redis_that_is_too_old() -> None:
    old = answering(b"redis_version:5.0.14\r\nredis_mode:standalone\r\n")
    assert "6.2 or newer" in refused(check_redis(old))
