"""`server.py checklist`: ticks what the doctor finds fine, and gives the reason of what is wrong."""

from __future__ import annotations

import pytest

from handlers.commands.checklist import LISTS, Item, checklist, marked
from models.checks.lines import fine, skipped, wrong
from tests.conftest import Running, Servers

ITEM = Item("A call works", ("turn", "call"))


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([fine("turn", "relays"), fine("mail", "on")], "[x] A call works"),
        ([skipped("call", "no robots")], "[ ] A call works (not checked: no robots)"),
        ([fine("turn", "relays"), wrong("call", "TURN: closed.")], "[!] A call works\n      TURN: closed."),
        ([], "[ ] A call works"),
    ],
)
def test_marks(lines, text: str) -> None:
    assert marked(ITEM, lines) == text


def test_there_are_four_lists_and_each_has_something_for_both() -> None:
    assert set(LISTS) == {"go-live", "daily", "weekly", "monthly"}
    for items in LISTS.values():
        assert {bool(item.checks) for item in items} == {True, False}


async def test_the_daily_list_of_a_healthy_site(
    site: Running, servers: Servers, tmp_path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = {
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "DATA_DIR": str(tmp_path),
        "BASE_URL": site.base_url,
        "PORT": str(site.config.port),
    }
    assert await checklist(["daily"], environment) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line[:3] for line in told] == ["[x]", "[x]", "[ ]", "[ ]"]


async def test_a_wrong_setting_fails_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert await checklist(["go-live"], {"PORT": "none"}) == 1
    assert "[!] Every setting is valid\n      PORT must be" in capsys.readouterr().out
