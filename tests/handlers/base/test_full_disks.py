"""Full disks: PostgreSQL's and our own, to users, in the log, in /metrics and in /readyz."""

from __future__ import annotations

import errno
import io
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2 import extensions

from handlers.http import misconfigurations
from models.errors import DiskFull, Unavailable, file_problem, is_disk_full
from models.postgres.statements import Statement
from models.profiles import uploads
from models.profiles.decoding.decoder import answer
from models.profiles.decoding.pictures import work
from tests.conftest import MakePerson, Running, jpeg
from tests.support.clients import multipart
from tests.support.servers import Servers

GUEST = {"name": "Ann", "gender": "female", "adult": True}


class FullFile(io.FileIO):
    """A file on a full disk: /dev/full, which cannot be truncated."""

    def __init__(self, **_: Any) -> None:
        super().__init__("/dev/full", "w+b")

    def truncate(self, size: int | None = None) -> int:
        return 0


def causes(caplog: pytest.LogCaptureFixture) -> list[str]:
    records = [vars(one) for one in caplog.records if one.name == misconfigurations.__name__]
    return [record["disk"] for record in records if record["cause"] == "disk"]


async def warnings(site: Running) -> dict[str, str]:
    return dict((await site.client.get("/readyz")).json.get("warnings", {}))


async def fill(site: Running) -> None:
    """An insert into `users` fails as if PostgreSQL could not extend a file."""
    async with site.models.db.link() as link:
        await link.execute(
            "create function full_disk() returns trigger language plpgsql as $$ begin "
            "raise exception 'could not extend file' using errcode = 'disk_full'; end $$; "
            "create trigger full_disk before insert on users execute function full_disk()"
        )


async def empty(site: Running) -> None:
    async with site.models.db.link() as link:
        await link.execute("drop function full_disk cascade")


async def test_the_database_s_disk(site: Running, caplog: pytest.LogCaptureFixture) -> None:
    await fill(site)
    try:
        answers = [await site.client.post("/auth/guest", GUEST) for _ in range(3)]
        ready = await site.client.get("/readyz")
    finally:
        await empty(site)
    assert [one.status for one in answers] == [503, 503, 503]
    assert answers[0].headers["Retry-After"] == "60"
    assert "no room left" in answers[0].json["error"]["message"]
    assert "DATABASE_URL" in ready.json["warnings"]["disk"]
    assert causes(caplog) == ["database"]
    assert 'napalmsky_misconfigurations_total{cause="disk"}' in (await site.client.get("/metrics")).text
    assert "a connection to the database was lost" not in caplog.text
    assert (await site.client.post("/auth/guest", GUEST)).status == 201


async def test_our_own_disk(
    site: Running, person: MakePerson, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    anna = await person()
    body, kind = multipart("selfie", "a.jpg", "image/jpeg", jpeg())
    headers = {"Content-Type": kind}
    monkeypatch.setattr(uploads, "TemporaryFile", FullFile)
    for _ in range(3):
        told = await site.client.send("POST", "/media/selfie", token=anna.token, body=body, headers=headers)
        assert (told.status, told.headers["Retry-After"]) == (503, "60")
        assert "no room left" in told.json["error"]["message"]
    assert causes(caplog) == ["files"]
    assert "DATA_DIR" in (await warnings(site))["disk"]
    monkeypatch.undo()
    told = await site.client.send("POST", "/media/selfie", token=anna.token, body=body, headers=headers)
    assert told.status == 201


def test_a_decoder_s_result_does_not_fit() -> None:
    source = io.BytesIO(jpeg())
    with FullFile() as target:
        found = answer(work, source, target, {"is_selfie": True})  # type: ignore[arg-type]
    assert found["failed"] == "disk"


@pytest.fixture
def small_disk(servers: Servers, place: Path) -> Iterator[None]:
    """The tablespace `small` on a file system of one megabyte."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    account = Path(extensions.parse_dsn(servers.database_url)["host"]).stat()
    options = f"size=1m,mode=700,uid={account.st_uid},gid={account.st_gid}"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this container may not mount a file system")
    with closing(psycopg2.connect(servers.database_url)) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"create tablespace small location '{place}'")
        connection.cursor().execute("create table small (words text) tablespace small")
        yield
        connection.cursor().execute("drop table small")
        connection.cursor().execute("drop tablespace small")
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.usefixtures("small_disk")
async def test_a_disk_that_is_really_full(site: Running) -> None:
    reported: list[int] = []
    site.models.db.when_full(lambda: reported.append(1))
    too_much = "insert into small select md5(n::text) from generate_series(1, 100000) n"
    with pytest.raises(DiskFull):
        await site.models.db.touch(Statement("small", too_much, False), {})
    assert reported == [1]
    assert (await site.client.get("/readyz")).status == 200


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_errors_that_mean_a_full_disk(number: int) -> None:
    outer = ValueError()
    outer.__cause__ = OSError(number, "x")
    assert is_disk_full(outer)
    assert isinstance(file_problem(OSError(number, "x")), DiskFull)
    assert type(file_problem(OSError(errno.EIO, "x"))) is Unavailable
    assert not is_disk_full(None)
