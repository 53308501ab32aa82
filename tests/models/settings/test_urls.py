"""URLs of services: the parts that smtplib, redis-py and libpq get, or a fault without the value."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

import psycopg2
import pytest
import redis
from psycopg2 import extensions

from models.settings.config import ConfigError
from models.settings.environment import read_config
from models.settings.urls import MailServer, mail_server
from tests.support.servers import Servers

# Every character that is significant in a URL, and some that are not.
PASSWORD = "p/a#s?s@w:o%r[d]&= +é"
ASCII_PASSWORD = "p/a#s?s@w:o%r[d]&= +"


def fault_of(name: str, value: str) -> str | None:
    try:
        read_config({name: value, "MAIL_FROM": "a@example.com", "SMTP_URL": "smtp://x"} | {name: value})
    except ConfigError as error:
        (fault,) = error.faults
        assert fault.startswith(f"{name} must ")
        return fault
    return None


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", MailServer(False, "mail.example.com", 587, None, "")),
        ("smtps://mail.example.com/", MailServer(True, "mail.example.com", 465, None, "")),
        ("smtp://[::1]:25", MailServer(False, "::1", 25, None, "")),
        ("smtp://[fe80::1%25eth0]:25", MailServer(False, "fe80::1%eth0", 25, None, "")),
        ("smtp://me%40example.com:pw@h", MailServer(False, "h", 587, "me@example.com", "pw")),
        ("smtp://me@example.com:pw@h", MailServer(False, "h", 587, "me@example.com", "pw")),
        ("smtp://u:a:b@h", MailServer(False, "h", 587, "u", "a:b")),
        (f"smtp://u:{quote(ASCII_PASSWORD, safe='')}@h:2525", MailServer(False, "h", 2525, "u",
        ASCII_PASSWORD)),
    ],
)  # fmt: skip
def test_a_mail_server_in_parts(url: str, server: MailServer) -> None:
    assert mail_server(url) == server
    assert fault_of("SMTP_URL", url) is None


PLAIN = ("a/b", "12/3", "/", "a#b", "#", "1#2", "a?b", "?", "25?x=1", "a/b@c", "a?b@c#d", "100%",
    "50%off", "%zz", "%ff", "%00",
         "%0d%0aX")  # fmt: skip


@pytest.mark.parametrize("password", PLAIN)
@pytest.mark.parametrize(
    ("name", "scheme"), [("SMTP_URL", "smtp"), ("REDIS_URL", "redis"), ("DATABASE_URL", "postgresql")]
)
def test_an_unencoded_password_is_rejected_or_kept_whole(name: str, scheme: str, password: str) -> None:
    url = f"{scheme}://user:{password}@service.example/0" if scheme != "smtp" else f"smtp://u:{password}@h"
    fault = fault_of(name, url)
    if scheme == "postgresql" and fault is None:
        parsed = extensions.parse_dsn(url)
        assert (parsed["host"], parsed["user"]) == ("service.example", "user")
        assert parsed["password"] == unquote(password, errors="surrogateescape")
    else:
        assert fault is not None
        assert password not in fault or len(password) < 4


@pytest.mark.parametrize("url", [
    "smtp://", "smtp://:25", "smtp://h:0", "smtp://h:65536", "smtp://h:x", "smtp://h/path",
    "smtp://h?tls=1", "smtp://h#x",
    "smtp://u@h", "smtp://:pw@h", "smtp://u:é@h", "smtp://u:%C3%A9@h", "http://h", "smtp:h", "h",
    "smtp://a b", "smtp://[::1",
])  # fmt: skip
def test_invalid_smtp_urls(url: str) -> None:
    assert fault_of("SMTP_URL", url)


@pytest.mark.parametrize("url", [
    "redis://h", "redis://h:6379", "redis://h:6379/", "redis://h/15", "rediss://u:p%2Fw@h:6380/1",
    "redis://[::1]:6379/0",
    "redis://:pw@h", "unix:///run/redis.sock", "unix:///run/redis.sock?db=2",
    "unix://u:pw@/run/redis.sock",
    "redis://h?db=1", "rediss://h?ssl_cert_reqs=none", "redis://h?protocol=2", "redis://h:",
    "redis://h?socket_keepalive=false", "redis://h?client_name=site", "redis://a_b", "redis://user@h",
    "rediss://h?ssl_min_version=771&ssl_check_hostname=false", "redis://[fe80::1%25eth0]:6379",
])  # fmt: skip
def test_valid_redis_urls(url: str) -> None:
    assert fault_of("REDIS_URL", url) is None


@pytest.mark.parametrize("url", [
    "redis://", "redis:///0", "redis://:6379", "redis://h:0", "redis://h:99999", "redis://h/x",
    "redis://h/0/1", "redis://h/-1",
    "redis://h1,h2", "redis://h#0", "redis://h?nonsense=1", "redis://h?db=x", "unix://run/redis.sock",
    "unix://", "unix:///",
    "REDIS://h", "redis-sentinel://h", "redis+cluster://h", "redis://h?socket_timeout=soon",
    "redis://h/٣",
])  # fmt: skip
def test_invalid_redis_urls(url: str) -> None:
    assert fault_of("REDIS_URL", url)


@pytest.mark.parametrize("url", [
    "postgresql://u:p%2Fw@h/db", "postgres://h",
    "postgresql://u@h1:5432,h2:5433/db?sslmode=require&target_session_attrs=any",
    "postgresql://[::1]:5432/db", "postgresql:///db?host=/run/postgresql",
    "postgresql://%2Frun%2Fpostgresql/db",
    "host=h dbname=d user=u password='a b\\'c'", "service=napalmsky", "postgresql:///?service=napalmsky",
    "postgresql://h/db?options=-csearch_path%3Dsky", "postgresql://h/d?sslrootcert=system&sslmode=verify-full",
    "postgresql://h/d?connect_timeout=5&keepalives_idle=9", "postgresql://h/d?client_encoding=UTF8",
    f"postgresql://h/d?sslrootcert={__file__}", "postgresql://h/d?password=x&user=y",
    "host=/run/postgresql", "postgresql://u@h/d%40b",
])  # fmt: skip
def test_valid_database_urls(url: str) -> None:
    assert fault_of("DATABASE_URL", url) is None


@pytest.mark.parametrize("url", [
    "mysql://h", "postgres", "postgresql:h", "postgresql://u:1/2@h/db", "postgresql://h:port/db",
    "postgresql://h:0/db",
    "postgresql://h:65536/db", "postgresql://h/db?sslmod=require", "postgresql://h/db?nonsense=1",
    "postgresql://[::1/db",
    "host=h port=x", "host='h", "nonsense=1", "postgresql://u:%zz@h/db", "postgresql://",
    "https://h/db", "host h",
])  # fmt: skip
def test_invalid_database_urls(url: str) -> None:
    assert fault_of("DATABASE_URL", url)


def test_unusual_passwords_reach_the_real_postgresql(servers: Servers) -> None:
    """The embedded server needs no password; libpq still has to find host, user and database."""
    host = extensions.parse_dsn(servers.database_url)["host"]
    for url in (
        f"postgresql://postgres:{quote(PASSWORD, safe='')}@/postgres?host={quote(host, safe='')}",
        f"postgresql://postgres:{quote(PASSWORD, safe='')}@{quote(host, safe='')}/postgres",
        f"host={host} user=postgres dbname=postgres password='{PASSWORD}'",
    ):
        assert fault_of("DATABASE_URL", url) is None
        connection = psycopg2.connect(url)
        assert connection.info.password == PASSWORD
        connection.close()


def test_unusual_passwords_reach_the_real_redis(servers: Servers) -> None:
    client: Any
    path = servers.redis_url.removeprefix("unix://")
    with redis.Redis.from_url(servers.redis_url) as client:
        client.acl_setuser("sky", enabled=True, passwords=[f"+{PASSWORD}"], keys=["*"], commands=["+@all"])
        try:
            url = f"unix://sky:{quote(PASSWORD, safe='')}@{path}"
            assert fault_of("REDIS_URL", url) is None
            with redis.Redis.from_url(url) as other:
                assert other.ping()
        finally:
            client.acl_deluser("sky")
