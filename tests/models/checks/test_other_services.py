"""The kind of server at an address: real ones, and the first bytes of those that the suite does not run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from models.other_services import HTTP, POSTGRESQL, REDIS, SMTP, what_answers
from tests.models.checks.conftest import RunRedis, TcpPostgres, free_port

GREETINGS = [
    (b"SSH-2.0-OpenSSH_9.6\r\n", "an SSH server"),
    (b"\x4a\x00\x00\x00\x0a8.0.36\x00", "a MySQL or MariaDB"),
    (b"* OK IMAP4rev1 ready\r\n", "a mailbox server (IMAP or POP3)"),
    (b"+OK POP3 ready\r\n", "a mailbox server (IMAP or POP3)"),
    (b"220 ProFTPD ready\r\n", "a mail or FTP server"),
    (b"AMQP\x00\x00\x09\x01", "a RabbitMQ"),
    (b"something else\r\n", None),
    (b"", None),
]


@pytest.mark.parametrize(("text", "kind"), GREETINGS)
def test_a_server_is_known_by_its_greeting(
    greeting: Callable[[bytes], int], text: bytes, kind: str | None
) -> None:
    assert what_answers("127.0.0.1", greeting(text)) == kind


def test_real_servers(postgres: TcpPostgres, run_redis: RunRedis, web_server: int, mail_port: int) -> None:
    assert what_answers("127.0.0.1", postgres.port) == POSTGRESQL
    assert what_answers("127.0.0.1", int(run_redis().rpartition(":")[2])) == REDIS
    assert what_answers("127.0.0.1", web_server) == HTTP
    assert what_answers("127.0.0.1", mail_port) == SMTP


def test_a_closed_port_and_a_name_that_is_none() -> None:
    assert what_answers("127.0.0.1", free_port()) is None
    assert what_answers("x" * 300, 80) is None
