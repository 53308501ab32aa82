"""Faults of DATABASE_URL and its server: each has its own text, with the setting and no value."""

from __future__ import annotations

import re
from collections.abc import Callable

import psycopg2
import pytest

from models.checks.services import check_services
from models.errors import Unavailable
from models.findings import Findings
from models.postgres.connection_errors import cause_of
from models.postgres.migrations import migrate
from models.postgres.requirements import check_database
from tests.models.checks.conftest import TcpPostgres, pooler, refused, run, url


def test_a_good_database(postgres: TcpPostgres) -> None:
    found = check_services(url(postgres), None)
    assert found == Findings(notes=found.notes)


def test_more_connections_than_the_server_allows(postgres: TcpPostgres) -> None:
    """It allows twelve: three are for superusers, and three for commands."""
    assert check_services(url(postgres), None, 6).refused == ()
    (told,) = check_services(url(postgres), None, 7).refused
    assert told.startswith("DATABASE_POOL_SIZE: with WORKERS, the site opens up to 7 connections")
    assert "allows 6 beside" in told


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


@pytest.mark.parametrize(("mode", "is_refused"), [("transaction", True), ("session", False)])
def test_a_pooler(postgres: TcpPostgres, mode: str, is_refused: bool) -> None:
    """What hosts of PostgreSQL offer as the first address is often a pooler in transaction mode."""
    with pooler(postgres, mode) as port:
        found = check_services(url(postgres).replace(f":{postgres.port}/", f":{port}/"), None)
    assert [text for text in found.refused if "pooler in transaction mode" not in text] == []
    assert bool(found.refused) == is_refused


def test_tables_of_another_program(postgres: TcpPostgres) -> None:
    run(postgres, "create table users ()", "alter table users owner to sky", database="mine")
    try:
        assert "tables of another program" in refused(check_services(url(postgres), None))
    finally:
        run(postgres, "drop table users", database="mine")


def test_tables_of_another_user(postgres: TcpPostgres) -> None:
    """As after a restore by the superuser: the site could start and write nothing."""
    run(postgres, "create table users ()", "create table _yoyo_migration ()", database="mine")
    try:
        told = refused(check_services(url(postgres), None))
        assert "the tables belong to another user" in told
        run(postgres, "grant insert on users to sky", database="mine")
        assert check_services(url(postgres), None).refused == ()
    finally:
        run(postgres, "drop table users, _yoyo_migration", database="mine")


def test_the_start_reports_the_same(postgres: TcpPostgres) -> None:
    for changes, cause in (
        ({"password": "wrong"}, "password is wrong"),
        ({"user": "weak"}, "may not create or change"),
    ):
        with pytest.raises(Unavailable, match=rf"DATABASE_URL: .*{cause}"):
            migrate(url(postgres, **changes))


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("Passwort-Authentifizierung für Benutzer »x« fehlgeschlagen", "password"),
        ("la autentificación password falló para el usuario «x»", "password"),
        ("authentification par mot de passe échouée pour l'utilisateur  « x »", "password"),
        ('ユーザー"x"のパスワード認証に失敗しました', "password"),
        ('пользователь "x" не прошёл проверку подлинности (по паролю)', "password"),
        ('用户 "x" Password 认证失败', "password"),
        ("Datenbank »x« existiert nicht", "database"),
        ("la base de données « x » n'existe pas", "database"),
        ('база данных "x" не существует', "database"),
        ('"x" 데이터베이스 없음', "database"),
        ("kein pg_hba.conf-Eintrag für Host »1.2.3.4«, Benutzer »x«, Datenbank »x«", "pg_hba.conf"),
        ("das Datenbanksystem fährt gerade hoch", "refuses the connection"),
    ],
)
def test_a_message_in_another_language(message: str, cause: str) -> None:
    """As PostgreSQL 15 translates them."""
    start = 'connection to server at "h" (192.0.2.1), port 5432 failed: FATAL:  '
    told = cause_of(psycopg2.OperationalError(start + message))
    assert told.startswith("DATABASE_URL: ")
    assert re.search(cause, told)
    assert "x" not in told.split()


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"user": "nologin"}, r"may not log in \(NOLOGIN\)"),
        ({"database": "off"}, "accepts no connections"),
        ({"database": "template0"}, "accepts no connections"),
        ({"user": "expired"}, "wrong, missing or expired"),
        ({"more": "?gssencmode=require"}, "gssencmode asks for GSSAPI"),
        ({"more": "?gssencmode=x"}, r"\(gssencmode\)"),
        ({"more": "?channel_binding=require"}, "channel_binding=require needs TLS"),
        ({"more": "?channel_binding=x"}, r"\(channel_binding\)"),
        ({"more": "?require_auth=password"}, "require_auth does not allow"),
        ({"more": "?target_session_attrs=standby"}, "target_session_attrs asks for"),
        ({"more": "?target_session_attrs=read-only"}, "target_session_attrs asks for"),
        ({"more": "?target_session_attrs=x"}, r"\(target_session_attrs\)"),
        ({"more": "?sslmode=x"}, r"\(sslmode\)"),
        ({"more": "?keepalives_idle=99999999999999999999"}, r"\(keepalives_idle\)"),
        ({"more": "?sslnegotiation=direct"}, "options for it contradict"),
        ({"more": "?sslmode=require&ssl_max_protocol_version=TLSv1"}, "options for it contradict"),
        ({"more": "?sslmode=require"}, "the server has none"),
        ({"more": "?options=-cnonsense%3D1"}, "a setting of this session: one in options"),
        ({"more": "?options=nonsense"}, "a setting of this session"),
        ({"more": "?options=-csearch_path"}, "a setting of this session"),
        ({"more": "?options=-cstatement_timeout%3Dx"}, "a setting of this session"),
        ({"more": "?options=-csession_authorization%3Dweak"}, "a setting of this session"),
        ({"more": "?hostaddr=x"}, "hostaddr is not an address"),
    ],
)
def test_each_cause_has_its_own_text(postgres: TcpPostgres, changes: dict[str, str], cause: str) -> None:
    assert re.search(cause, refused(check_database(url(postgres, **changes), 1)))


def test_a_socket_that_is_not_there() -> None:
    assert "no socket in the directory" in refused(check_database("postgresql://u@/d?host=/nowhere", 1))
    assert "path of its socket is too long" in refused(check_database("host=/" + "x" * 120, 1))


def test_another_service_at_the_port_is_named(
    web_server: int, mail_port: int, greeting: Callable[[bytes], int]
) -> None:
    found = {
        "a web server answers": web_server,
        "a mail server answers": mail_port,
        "an SSH server answers": greeting(b"SSH-2.0-OpenSSH_9.2\r\n"),
        "a MySQL or MariaDB answers": greeting(b"J\0\0\0\x0a8.0.30\0"),
    }
    for cause, port in found.items():
        address = f"postgresql://u@127.0.0.1:{port}/d"
        assert refused(check_services(address, None)).startswith(f"DATABASE_URL: {cause}")
