"""REDIS_URL and DATABASE_URL: what the setting's consumer refuses or would ignore, each with its cause."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.models.settings.test_urls import fault_of

REDIS_CAUSES = {
    "port from 1": ["redis://h:0", "redis://h:70000", "redis://h:x", "rediss://h:-1"],
    "not have spaces": ["redis://a b", "redis://h? db=1"],
    "in brackets": ["redis://::1:6379", "redis://h:6379:6379", "redis://h:1,h2:1"],
    "host name": ["redis://*", "redis://${HOST}", "redis://h%2f", "redis://" + "a" * 64, "redis://[::1"],
    "can read as ssl_ca_certs": ["rediss://h?ssl_ca_certs=/nowhere", "rediss://h?ssl_ca_certs=/etc"],
    "can read as ssl_certfile": ["rediss://h?ssl_certfile=/nowhere"],
    "can read as ssl_keyfile": ["rediss://h?ssl_keyfile=/nowhere"],
    "ssl_certfile as well": [f"rediss://h?ssl_keyfile={__file__}"],
    "directory as ssl_ca_path": ["rediss://h?ssl_ca_path=/nowhere"],
    "OpenSSL can use": [f"rediss://h?ssl_ca_certs={__file__}", f"rediss://h?ssl_certfile={__file__}",
                        "rediss://h?ssl_ciphers=none", "rediss://h?ssl_ca_data=x"],
    "ssl_min_version": ["rediss://h?ssl_min_version=5", "rediss://h?ssl_min_version=TLSv1.2"],
    "value of ssl_include_verify_flags": ["rediss://h?ssl_include_verify_flags=x"],
    "as ssl_cert_reqs": ["rediss://h?ssl_cert_reqs=sometimes"],
    "as ssl_check_hostname": ["rediss://h?ssl_check_hostname=maybe"],
    "as socket_keepalive": ["redis://h?socket_keepalive=maybe"],
    "begin with rediss": ["redis://h?ssl_ca_certs=/x", "unix:///run/x?ssl_cert_reqs=none"],
    "a client_name of": ["redis://h?client_name=a%20b", "redis://h?client_name=é", "redis://h?client_name=%0a"],
    "option once": ["redis://h?client_name=", "redis://h?db=1&db=2", "redis://h?foo", "redis://h?db"],
    "name its database once": ["redis://h/1?db=2", "redis://h/0?db=0"],
    "number as its database": ["redis://h?db=-1", "redis://h?db=1.5", "redis://h?db=1;x=1", "redis://h/x"],
    "speaks RESP2": ["redis://h?protocol=3", "redis://h?protocol=x"],
    "the option socket_timeout:": ["redis://h?socket_timeout=0", "redis://h?socket_timeout=2.5"],
    "the option max_connections:": ["redis://h?max_connections=5"],
    "the option health_check_interval:": ["redis://h?health_check_interval=5"],
    "the option decode_responses:": ["redis://h?decode_responses=true"],
    "the option retry_on_timeout:": ["redis://h?retry_on_timeout=true"],
    "the option timeout:": ["redis://h?timeout=3"],
    "its password before": ["redis://h?password=x", "redis://:a@h?password=x"],
    "its username before": ["redis://h?username=x"],
    "its host before": ["redis://h?host=x", "unix:///run/x?host=y"],
    "its port before": ["redis://h?port=1"],
    "its path before": ["unix:///run/x?path=/y", "redis://h?path=x"],
    "at most 107 bytes": ["unix:///run/" + "x" * 110],
    "unix sockets have none": ["unix:///run/x?socket_keepalive=true"],
    "three slashes": ["unix://localhost/run/x"],
    "only options that redis-py knows": ["redis://h?nonsense=1", "redis://h?DB=1"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("cause", "url"), [(cause, url) for cause in REDIS_CAUSES for url in REDIS_CAUSES[cause]]
)
def test_each_cause_of_redis_url(cause: str, url: str) -> None:
    fault = fault_of("REDIS_URL", url)
    assert fault is not None
    assert re.search(cause, fault)


def test_a_key_with_a_password_is_not_asked_for_on_the_terminal(tmp_path: Path) -> None:
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2 -subj /CN=localhost "
        "-passout pass:word -keyout key.pem -out cert.pem"
    )
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    url = f"rediss://h?ssl_certfile={tmp_path}/cert.pem&ssl_keyfile={tmp_path}/key.pem"
    assert "ssl_password" in str(fault_of("REDIS_URL", url))
    assert fault_of("REDIS_URL", f"{url}&ssl_password=word") is None


DATABASE_CAUSES = {
    "options that libpq knows": ["postgresql://h/d?schema=public", "postgresql://h/d?pgbouncer=true",
                                 "postgresql://h/d?sslmod=require", "host=h nonsense=1"],
    "option=value": ["postgresql://h/d?sslmode", "postgresql://h/d?a=b=c"],
    "every %": ["postgresql://u:%zz@h/d", "postgresql://u:100%@h/d", "postgresql://u:%00@h/d"],
    "IPv6 address in brackets": ["postgresql://[::1/db", "postgresql://[::1]x/d"],
    "each option once": ["postgresql://h/d?sslmode=require&sslmode=disable"],
    "its dbname once": ["postgresql://h/d?dbname=x"],
    "its user once": ["postgresql://u@h/d?user=x"],
    "its password once": ["postgresql://u:p@h/d?password=x"],
    "its host once": ["postgresql://h/d?host=x"],
    "its port once": ["postgresql://h:1/d?port=2"],
    "not have the option replication": ["postgresql://h/d?replication=true", "host=h replication=database"],
    "client_encoding": ["postgresql://h/d?client_encoding=latin1", "host=h client_encoding=x"],
    "number as connect_timeout": ["postgresql://h/d?connect_timeout=x", "host=h connect_timeout=soon"],
    "number as keepalives_idle": ["postgresql://h/d?keepalives_idle=x"],
    "number as tcp_user_timeout": ["postgresql://h/d?tcp_user_timeout=1s"],
    "can read as sslrootcert": ["postgresql://h/d?sslrootcert=/nowhere", "host=h sslrootcert=/etc"],
    "can read as sslcert": ["postgresql://h/d?sslcert=/nowhere"],
    "can read as sslkey": ["postgresql://h/d?sslkey=/nowhere"],
    "can read as sslcrl": ["postgresql://h/d?sslcrl=/nowhere"],
    "can read as passfile": ["postgresql://h/d?passfile=/nowhere"],
    "port from 1": ["postgresql://h:0/d", "postgresql://h:70000/d", "postgresql://h:x/d", "host=h port=1,0"],
    "spaces in its host": ["postgresql://a b/d", "host='a b'"],
    "must be a libpq URL": ["jdbc:postgresql://h/d", "postgresql+asyncpg://h/d", "host h", "host='h"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("cause", "url"), [(cause, url) for cause in DATABASE_CAUSES for url in DATABASE_CAUSES[cause]]
)
def test_each_cause_of_database_url(cause: str, url: str) -> None:
    assert cause in str(fault_of("DATABASE_URL", url))
