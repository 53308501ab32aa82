"""`python server.py check`, and the messages of a start: the real program as a child process."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psycopg2
import pytest

from models.checks.host import consequences
from models.postgres.migrations import migrate
from models.processes.embedded import Embedded
from models.settings.config import Config
from models.settings.names import misspelled
from tests.conftest import ROOT, Running
from tests.support.servers import Servers

KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


def run(command: str, **settings: str) -> tuple[int, str, str]:
    environment = {name: os.environ[name] for name in KEPT if name in os.environ} | settings
    ran = subprocess.run(
        [sys.executable, "server.py", command],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert "Traceback" not in ran.stderr
    return ran.returncode, ran.stdout, ran.stderr


def test_valid_settings(servers: Servers, tmp_path: Path) -> None:
    where = {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url, "DATA_DIR": str(tmp_path)}
    code, out, err = run("check", **where)
    assert (code, err) == (0, "")
    assert "The settings can be used." in out
    assert "TURN_URLS and STUN_URLS name no server" in out


def test_every_fault_at_once_by_name_and_not_by_value(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    code, out, err = run(
        "check", PORT="zz-port", BASE_URL="zz-base", STUN_URLS="stun://zz",
        DATABASE_URL="postgresql://zz@127.0.0.1:1/zz",
        REDIS_URL="redis://zz:zz@127.0.0.1:1", DATA_DIR=str(blocked / "zz"), TURN_URL="turn:zz",
    )  # fmt: skip
    assert code == 2
    named = [line.split()[0].rstrip(":") for line in err.splitlines() if line.startswith("  ")]
    assert named == ["PORT", "BASE_URL", "STUN_URLS", "DATABASE_URL", "REDIS_URL", "DATA_DIR"]
    assert "TURN_URL is not a setting. Is TURN_URLS meant?" in out
    assert "zz" not in err + out
    # STUN_URLS is set, even if it cannot be read.
    assert "only people on the same network" not in out


@pytest.mark.parametrize("command", ["check", "serve", "migrate"])
def test_a_server_that_cannot_be_used_is_named(servers: Servers, command: str) -> None:
    settings = {"DATABASE_URL": servers.database_url, "REDIS_URL": "redis://127.0.0.1:1", "PORT": "0"} | {
        "PORT": "8099"
    }
    code, _, err = run(command, **settings)
    assert code == 2
    assert re.fullmatch(r"(?s).*\n  REDIS_URL: the server cannot be reached.*", "\n" + err)
    assert "DATABASE_URL" not in err


def test_a_port_in_use_is_named(servers: Servers) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        where = {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
        code, _, err = run("serve", PORT=port, **where)
    assert code == 2
    assert err.splitlines()[-1].startswith("PORT is in use by another program.")


def test_a_schema_newer_than_the_code_does_not_start(tmp_path: Path) -> None:
    with Embedded.start(tmp_path / "data", durable=False) as embedded:
        migrate(embedded.database_url)
        with (
            closing(psycopg2.connect(embedded.database_url)) as connection,
            connection,
            connection.cursor() as on,
        ):
            on.execute(
                "insert into _yoyo_migration (migration_hash, migration_id, applied_at_utc) "
                "values (repeat('a', 64), '9999_later', now())"
            )
        where = {"DATABASE_URL": embedded.database_url, "REDIS_URL": embedded.redis_url}
        for command in ("serve", "migrate"):
            code, _, err = run(command, PORT="8098", **where)
            assert code == 2
            assert "DATABASE_URL: the schema is newer than this version of the site" in err


async def test_a_schema_that_becomes_newer_is_not_ready(site: Running) -> None:
    async with site.models.db.link() as link:
        await link.execute(
            "insert into _yoyo_migration (migration_hash, migration_id, applied_at_utc) "
            "values (repeat('a', 64), '9999_later', now())"
        )
        try:
            answer = await site.client.get("/readyz")
        finally:
            await link.execute("delete from _yoyo_migration where migration_id = '9999_later'")
    assert (answer.status, answer.json["checks"]["schema"]) == (503, "newer than this version of the site")
    assert (await site.client.get("/readyz")).status == 200


def test_misspelled_names() -> None:
    found = misspelled({
        "TURN_URL": "x", "REDIS_URI": "x", "STRIPE_WEBHOOK_SECRETS": "x", "turn_secret": "x",
        "PATH": "x", "HOSTNAME": "x",
        "PORT": "x", "ALLOWED_ORIGIN": "x", "TRUSTED_PROXY": "x", "BASEURL": "x", "SMTP_UR\n": "x",
        "X" * 9000: "x", "": "",
    })  # fmt: skip
    pairs = {text.split()[0]: text.split()[-2] for text in found}
    assert pairs.pop("SMTP_UR?") == "SMTP_URL"
    assert pairs == {
        "TURN_URL": "TURN_URLS", "REDIS_URI": "REDIS_URL",
        "STRIPE_WEBHOOK_SECRETS": "STRIPE_WEBHOOK_SECRET",
        "turn_secret": "TURN_SECRET", "ALLOWED_ORIGIN": "ALLOWED_ORIGINS", "BASEURL": "BASE_URL",
        "TRUSTED_PROXY": "TRUSTED_PROXIES",
    }  # fmt: skip
    assert misspelled({"TURN_URL": "x", "TURN_URLS": "x"}) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SMTP_HOST", "SMTP_URL"),
        ("STRIPE_API_KEY", "STRIPE_SECRET_KEY"),
        ("TURN_PASSWORD", "TURN_SECRET"),
        ("SITE_URL", "BASE_URL"),
        ("NAPALMSKY_PRICE_CENTS", "PRICE_CENTS"),
    ],
)
def test_names_of_other_programs_settings(name: str, meant: str) -> None:
    assert misspelled({name: "x"}) == [f"{name} is not a setting. Is {meant} meant?"]
    assert misspelled({name: "x", meant: "y"}) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [("DATABASE_URL_FILE", "DATABASE_URL"), ("STRIPE_SECRET_KEY_FILE", "STRIPE_SECRET_KEY"),
     ("FILE__TURN_SECRET", "TURN_SECRET"), ("NAPALMSKY_BASE_URL", "BASE_URL"),
     ("NAPALM_SKY_SMTP_URL", "SMTP_URL"),
     ("TRUSTED_PROXY", "TRUSTED_PROXIES"), ("TERMS_FILES", "TERMS_FILE")],
)  # fmt: skip
def test_names_as_other_programs_have_them(name: str, meant: str) -> None:
    (told,) = misspelled(
        {name: "x", "SITE_PORT": "x", "NAPALMSKY_PORT": "tcp://10.0.0.1:80", "HOST_FILE": "x"}
    )
    assert told.startswith(f"{name} is not a setting. Is {meant} meant?")
    assert ("not read from files" in told) == ("FILE" in name and meant != "TERMS_FILE")


def test_consequences_of_settings() -> None:
    assert [text.split()[0] for text in consequences(Config())] == ["TURN_URLS"]
    assert consequences(Config(stun_urls=("stun:a",))) == []
    other = Config(stun_urls=("stun:a",), base_url="http://localhost:9000")
    assert [text.split()[0] for text in consequences(other)] == ["BASE_URL"]
    assert consequences(Config(stun_urls=("stun:a",), base_url="https://sky.example")) == []
    public = Config(stun_urls=("stun:a",), base_url="http://sky.example")
    assert ["give no camera" in text for text in consequences(public)] == [True]
    trusting = Config(stun_urls=("stun:a",), trusted_proxies=(ipaddress.ip_network("0.0.0.0/0"),))
    assert [text.split()[0] for text in consequences(trusting)] == ["TRUSTED_PROXIES"]
    elsewhere = Config(stun_urls=("stun:a",), base_url="https://sky.example:8443", tls="on")
    assert [text.split()[0] for text in consequences(elsewhere)] == ["HTTPS_PORT"]
    assert consequences(replace(elsewhere, https_port=8443)) == []
    for host in ("203.0.113.7", "meet.local"):
        nameless = Config(stun_urls=("stun:a",), base_url=f"https://{host}", tls="auto")
        assert [text.split()[0] for text in consequences(nameless)] == ["TLS=auto"]
        assert consequences(replace(nameless, tls="off")) == []


def test_what_a_public_site_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Data that stay, and memory; on this machine alone, a trial may do without."""
    public = Config(stun_urls=("stun:a",), base_url="https://sky.example", data_dir=Path("/dev/shm/sky"))
    assert [text.split()[0] for text in consequences(public)] == ["DATA_DIR:"]
    assert consequences(replace(public, base_url="http://localhost:8080")) == []
    assert consequences(replace(public, database_url="postgresql://x")) == []
    private = replace(public, database_url="postgresql://x", turn="embedded", public_ip="10.0.0.5")
    assert [text.split()[0] for text in consequences(private)] == ["PUBLIC_IP"]
    assert consequences(replace(private, public_ip="11.0.0.5")) == []
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(total=512 << 20))
    outside = replace(public, database_url="postgresql://x")
    assert [text.split()[0] for text in consequences(outside)] == ["memory:"]


def test_a_backup_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, _, err = run("check", DATA_DIR=str(tmp_path), BACKUP_DIR=str(tmp_path / "file" / "backups"))
    assert code == 2
    assert "BACKUP_DIR: a part of its path is not a directory." in err


def test_no_directory_for_temporary_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    closed = Config(stun_urls=("stun:a",), data_dir=tmp_path / "file" / "data")
    assert consequences(closed) == []
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    (told,) = consequences(closed)
    assert told.startswith("DATA_DIR and TMPDIR: ")
    assert consequences(replace(closed, data_dir=tmp_path / "made" / "later")) == []


@pytest.mark.parametrize("host", ["203.0.113.1", "2001:db8::1", "no.such.name.invalid", "0.0.0.1", "a..b"])
def test_an_address_that_this_machine_does_not_have(host: str, tmp_path: Path) -> None:
    code, _, err = run("check", HOST=host, DATA_DIR=str(tmp_path))
    assert code == 2
    assert [line.split()[0] for line in err.splitlines() if line.startswith("  ")] == ["HOST"]


def test_a_port_in_use_is_only_a_note_of_check(tmp_path: Path) -> None:
    """The site itself may be running."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, out, _ = run("check", PORT=str(taken.getsockname()[1]), DATA_DIR=str(tmp_path))
    assert code == 0
    assert "Note: PORT is in use: by this site" in out
