"""A PostgreSQL with passwords on a TCP port, Redis servers with options, other kinds of servers."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg2
import pytest

from models.findings import Findings
from models.processes.data_directory import DataDirectory
from models.processes.embedded_servers import Postgres, valkey_binary
from tests.support.smtp_server import Mailbox

SIGN = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
    "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem"
)
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


@pytest.fixture(scope="package")
def postgres() -> Iterator[TcpPostgres]:
    # Not in pytest's own directory: each run that begins makes it private again.
    with tempfile.TemporaryDirectory(prefix="napalmsky-test-") as home:
        yield from _running(TcpPostgres(DataDirectory.find(Path(home).resolve(), durable=False)))


def _running(server: TcpPostgres) -> Iterator[TcpPostgres]:
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
        f"create role nologin password '{PASSWORD}'",
        f"create role expired login password '{PASSWORD}' valid until '2020-01-01'",
        "create database off owner sky allow_connections false",
    )
    run(server, "revoke connect on database closed from public", "create database fixed owner sky")
    run(server, "alter database fixed set default_transaction_read_only = on")
    yield server
    server.ask_to_stop()
    server.wait_stopped(time.monotonic() + 4)


def run(server: TcpPostgres, *statements: str, database: str = "postgres") -> None:
    admin = f"postgresql://postgres@/{database}?host={server.place.sockets}&port={server.port}"
    with closing(psycopg2.connect(admin)) as connection:
        connection.autocommit = True
        for statement in statements:
            connection.cursor().execute(statement)


@contextmanager
def pooler(server: TcpPostgres, mode: str) -> Iterator[int]:
    """The port of a PgBouncer in this mode, before the database `mine`."""
    with tempfile.TemporaryDirectory(prefix="napalmsky-test-") as home:
        Path(home).chmod(0o755)
        yield from _pooling(server, Path(home), mode)


def _pooling(server: TcpPostgres, home: Path, mode: str) -> Iterator[int]:
    port, file = free_port(), home / "pgbouncer.ini"
    (home / "users").write_text(f'"sky" "{PASSWORD}"\n')
    file.write_text(
        f"[databases]\nmine = host=127.0.0.1 port={server.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = plain\nauth_file = {home}/users\n"
        f"pool_mode = {mode}\nignore_startup_parameters = extra_float_digits\n"
    )
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "pgbouncer is missing: apt install pgbouncer"
    # It does not run as root.
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    with subprocess.Popen([*drop, program, str(file)], stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 20
        while not is_listening(port) and time.monotonic() < until:
            time.sleep(0.02)
        try:
            yield port
        finally:
            process.terminate()


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


# -- other kinds of servers --


@pytest.fixture
def web_server() -> Iterator[int]:
    """The port of a web server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def greeting() -> Iterator[Callable[[bytes], int]]:
    """`greeting(b"SSH-2.0-x")`: the port of a server that says this to each client and then ends."""
    listening: list[socket.socket] = []

    def start(text: bytes) -> int:
        one = socket.create_server(("127.0.0.1", 0))
        listening.append(one)
        threading.Thread(target=serve, args=(one, text), daemon=True).start()
        return int(one.getsockname()[1])

    def serve(one: socket.socket, text: bytes) -> None:
        while True:
            try:
                client, _ = one.accept()
            except OSError:
                return
            with closing(client):
                client.sendall(text)

    yield start
    for one in listening:
        one.shutdown(socket.SHUT_RDWR)
        one.close()


@pytest.fixture
def mail_port() -> Iterator[int]:
    with Mailbox().open() as box:
        yield int(box.url.rpartition(":")[2])


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """The TLS of a server with a self-signed certificate for `localhost`."""
    subprocess.run(SIGN.split(), cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return context
