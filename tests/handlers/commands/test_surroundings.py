"""Hosts with an unusual locale, environment or output: the real program as a child process."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from handlers.commands.surroundings import look_around
from models.findings import Findings
from models.settings.config import Config
from models.settings.environment import read_config
from tests.conftest import ROOT
from tests.support.pace import within

# What psql users have in their shells; it is about another server than the built-in one.
LIBPQ = {
    "PGPORT": "5433", "PGSERVICE": "work", "PGHOSTADDR": "192.0.2.1", "PGCONNECT_TIMEOUT": "soon",
    "PGTARGETSESSIONATTRS": "standby", "PGREQUIREAUTH": "scram-sha-256",
    "PGOPTIONS": "-c statement_timeout=1",
    "PGCLIENTENCODING": "LATIN1", "PGDATESTYLE": "German",
}  # fmt: skip
# A host whose locale is not UTF-8. Python would read every file, and write every line, in that encoding.
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
SOCKS = {"ALL_PROXY": "socks5://127.0.0.1:9", "STRIPE_SECRET_KEY": "sk_test_0123456789",
         "STRIPE_WEBHOOK_SECRET": "whsec_0123456789", "PRICE_CENTS": "100"}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("odd-hosts"))


def run(
    line: str, data: str, output: int = subprocess.PIPE, **settings: str
) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    ran = subprocess.run(
        [sys.executable, "server.py", *line.split()],
        cwd=ROOT, env=kept | {"DATA_DIR": data} | settings, stdout=output, stderr=subprocess.PIPE,
        encoding="utf-8", timeout=180, check=False,
    )  # fmt: skip
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(LIBPQ, marks=pytest.mark.prove, id="libpq"),
        pytest.param(ASCII, id="ascii"),
        pytest.param(SOCKS, marks=pytest.mark.prove, id="socks"),
    ],
)
def test_commands_work(data: str, odd: dict[str, str]) -> None:
    ran = run("codes create --label Zoë-🎉-李", data, **odd)
    assert (ran.returncode, len(ran.stdout.splitlines())) == (0, 2), ran.stderr
    ran = run("codes list", data, **odd)
    assert ran.returncode == 0, ran.stderr
    assert ("Zoë-🎉-李" if odd is not ASCII else "Zo\\xeb-\\U0001f389-\\u674e") in ran.stdout


def test_a_reader_that_has_enough_is_no_fault(data: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ran = run("codes list", data, output=writer)
    os.close(writer)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_output_that_cannot_be_written_is_named(data: str) -> None:
    with Path("/dev/full").open("w") as full:
        ran = run("codes list", data, output=full.fileno())
    assert (ran.returncode, ran.stderr) == (1, "standard output: No space left on device\n")


def test_the_data_are_beside_the_program_wherever_it_is_started() -> None:
    assert read_config({}).data_dir == Config().data_dir == ROOT / "data"


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALL_PROXY", "socks://127.0.0.1:9"), ("HTTPS_PROXY", "http://proxy:port"), ("https_proxy", '"http://p:1"'),
     ("NO_PROXY", "[::1]")],
)  # fmt: skip
def test_a_proxy_that_cannot_be_used_is_named(tmp_path: Path, name: str, value: str) -> None:
    ran = run("check", str(tmp_path), **{name: value})
    assert ran.returncode == 2
    assert [line.split()[0].rstrip(":") for line in ran.stderr.splitlines()[1:]] == [name]
    assert value not in ran.stderr


def test_libpqs_variables_are_named_beside_a_database_url() -> None:
    known = {"PGSSLMODE": "verify-full", "PGPORT": "5433", "PATH": "/bin"}
    assert look_around(known) == Findings()
    (note,) = look_around(known | {"DATABASE_URL": "postgresql://someone@127.0.0.1:1/db"}).notes
    assert note.startswith("PGPORT and PGSSLMODE: ")
    (note,) = look_around({"PGPORT": "1", "DATABASE_URL": "postgresql://h/d"}).notes
    assert note.startswith("PGPORT: ")


def is_served(port: int) -> bool:
    with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), 10) as one:
        one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return one.recv(100).startswith(b"HTTP/1.1 200")
    return False


def test_a_process_that_may_open_few_files_refuses_connections_and_says_so(data: str) -> None:
    """Not one traceback for each connection, at the full speed of the machine."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    site = subprocess.Popen(
        [sys.executable, "server.py"], cwd=ROOT, env=kept | {"DATA_DIR": data, "PORT": str(port)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
    )  # fmt: skip
    assert site.stdout is not None
    with site, contextlib.ExitStack() as ending, contextlib.ExitStack() as stack:
        ending.callback(site.kill)  # leaving `site` waits for its end
        assert any("is up" in line for line in site.stdout)
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 10)) for _ in range(80)]
        assert clients[-1].recv(1) == b""
        stack.close()
        deadline = time.monotonic() + within(10)
        while not is_served(port):  # until the site has seen that the others are gone
            assert time.monotonic() < deadline
        site.terminate()
        rest = site.stdout.read()
    assert rest.count('"cause": "files"') == 1, rest
    assert "accept" not in rest
    assert len(rest.splitlines()) < 50


def test_as_many_files_as_the_system_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    script = "import resource; from handlers.commands.surroundings import settle; settle({}); "
    script += "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    ran = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", script], cwd=ROOT, capture_output=True, check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard)),
    )  # fmt: skip
    assert int(ran.stdout) == max(256, min(hard, 65_536))
