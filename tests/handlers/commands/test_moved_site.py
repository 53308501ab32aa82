"""All data of a running site moved from the built-in PostgreSQL to an external one, and back."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from models.processes.embedded import Embedded
from models.processes.embedded_initdb import own_major
from tests.conftest import ROOT
from tests.journeys.server_process import ServerProcess
from tests.models.backups.conftest import ROWS, cluster, data, program_of, run
from tests.models.backups.test_restore import digests
from tests.turn.coturn import free_port

__all__ = ["data"]  # A fixture.
MAJORS = [major for major in (15, own_major()) if program_of(major)]
FORM = {"name": "Anna", "gender": "female", "adult": True}


class Site(ServerProcess):
    """With a PostgreSQL of the operator if `url` is set."""

    url_of_database = ""

    def settings(self) -> dict[str, str]:
        return self._environment | {"DATABASE_URL": self.url_of_database}

    def start(self) -> None:
        self._environment = self.settings()
        super().start()

    def move(self, *words: str) -> tuple[int, str]:
        """The exit code, and what the operator reads."""
        command = [sys.executable, "server.py", "move", *words]
        done = subprocess.run(command, cwd=ROOT, env=self.settings(), capture_output=True, timeout=300)
        return done.returncode, done.stderr.decode()

    def sign_up(self) -> httpx.Response:
        headers = {"Accept": "application/json"}
        return httpx.post(f"{self.url}/auth/guest", json=FORM, headers=headers)

    def name_of(self, token: str) -> str:
        headers = {"Accept": "application/json", "Authorization": f"Bearer {token}"}
        return str(httpx.get(f"{self.url}/user/me", headers=headers).raise_for_status().json()["name"])


@pytest.fixture
def site(place: Path) -> Iterator[Site]:
    made = Site(place, free_port())
    made.start()
    yield made
    if made.is_running:
        made.stop()


@pytest.mark.prove
@pytest.mark.parametrize("major", MAJORS)
def test_from_the_built_in_postgresql_to_an_external_one_and_back(
    site: Site, place: Path, data: Path, major: int
) -> None:
    built_in, _ = Embedded.running(place / "data")
    run(built_in, ROWS)
    anna = site.sign_up().raise_for_status().json()["sessionToken"]
    with cluster(data, major) as external:
        code, told = site.move("--to", external)
        assert code == 0, told
        assert re.search(r"^Written \d+ of \d+: users, 201 rows$", told, re.M)
        assert "Start the site with the new DATABASE_URL now." in told
        before = digests(external)
        assert before["users"].rows == 201
        # The site that still runs on the old one is on hold, and neither lets anyone in nor loses anyone.
        assert site.sign_up().status_code == 503
        assert digests(built_in) == before
        site.stop()

        site.url_of_database = external
        site.start()
        assert site.name_of(anna) == "Anna"
        code, told = site.move("--to", "embedded")
        assert code == 2
        assert "in use by another Napalm Sky" in told
        site.stop()
        # What the site wrote there until now, such as the time of the last visit.
        before = digests(external)
        code, told = site.move("--to", "embedded")
        assert code == 1
        assert "The new database has data, which the move replaces. Add --replace" in told
        code, told = site.move("--to", "embedded", "--replace")
        assert code == 0, told
        assert "Start the site without DATABASE_URL now." in told
        assert digests(external) == before

    site.url_of_database = ""
    with Embedded.start(place / "data", redis=False) as back:
        assert digests(back.database_url) == before
    site.start()
    assert site.name_of(anna) == "Anna"
    assert site.sign_up().status_code == 201
