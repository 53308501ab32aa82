"""Faults of REDIS_URL and its server: each has its own text, with the setting and no value."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable

import redis

from models.checks.services import check_services
from models.findings import Findings
from models.redis.requirements import check_redis
from tests.machines.faults.fault_proxy import FaultProxy
from tests.models.checks.conftest import ENCODED, PASSWORD, RunRedis, TcpPostgres, refused
from tests.support.servers import Servers


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
    assert "Begin with redis://" in refused(check_redis(f"rediss://:{ENCODED}@{plain}"))
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


def test_another_service_at_the_port_is_named(
    web_server: int, mail_port: int, greeting: Callable[[bytes], int], postgres: TcpPostgres
) -> None:
    found = {
        "a web server answers": web_server,
        "a mail server answers": mail_port,
        "an SSH server answers": greeting(b"SSH-2.0-OpenSSH_9.2\r\n"),
        "a PostgreSQL answers": postgres.port,
    }
    for cause, port in found.items():
        assert refused(check_redis(f"redis://127.0.0.1:{port}")).startswith(f"REDIS_URL: {cause}")


def test_tls_on_one_side_only(run_redis: RunRedis, certificate: ssl.SSLContext) -> None:
    assert "Begin with redis://" in refused(check_redis(f"rediss://{run_redis()}"))
    with FaultProxy(("127.0.0.1", 1), certificate) as tls:
        assert "Begin with rediss://" in refused(check_redis(f"redis://127.0.0.1:{tls.port}"))
        found = refused(check_redis(f"rediss://127.0.0.1:{tls.port}"))
    assert "not signed by an authority" in found or "another host name" in found
