""".github/workflows: what the workflow runs exists, and a tag leads to a deployment of both architectures."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

JOBS: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/site.yml").read_text())["jobs"]


def steps(job: str) -> list[dict[str, Any]]:
    return list(JOBS[job]["steps"])


def test_what_it_runs_exists() -> None:
    (command,) = [step["run"] for step in steps("test") if "run" in step]
    assert os.access(ROOT / command, os.X_OK)
    (script,) = [step["run"] for step in steps("deploy")]
    assert "&& deploy/replace " in script
    assert os.access(ROOT / "deploy/replace", os.X_OK)


def test_commands_in_the_image_have_no_python_in_front() -> None:
    """The image's entry point is `python server.py`."""
    assert 'ENTRYPOINT ["python", "server.py"]' in (ROOT / "Dockerfile").read_text()
    assert "docker compose run --rm site migrate" in (ROOT / "deploy/replace").read_text()


def deploy(home: Path, tag: str) -> str:
    """What the deployment of a tag runs on the host; empty: it is refused."""
    told = home / "told"
    program(home, "ssh", f'echo "$4" > {told}')
    (script,) = [step["run"] for step in steps("deploy")]
    given = {
        "PATH": f"{home}:{os.environ['PATH']}",
        "HOME": str(home),
        "IMAGE": "ghcr.io/Some/site",
        "TAG": tag,
    }
    keys = dict.fromkeys(("DEPLOY_HOST", "DEPLOY_USER", "DEPLOY_KEY", "DEPLOY_KNOWN_HOSTS"), "x")
    done = subprocess.run(["bash", "-ec", script], env=given | keys, capture_output=True)
    assert (done.returncode == 0) == told.exists()
    return told.read_text().strip() if told.exists() else ""


def program(home: Path, name: str, line: str) -> None:
    (home / name).write_text(f"#!/bin/sh\n{line}\n")
    (home / name).chmod(0o755)


def test_a_version_is_deployed_on_the_host(tmp_path: Path) -> None:
    told = deploy(tmp_path, "v1.2.3")
    assert told.endswith("git checkout v1.2.3 && deploy/replace ghcr.io/some/site:1.2.3")


@pytest.mark.parametrize("tag", ["v1;reboot", "v$(reboot)", "v1.2.3-rc1", "v1\nreboot", "v"])
def test_a_tag_that_is_no_version_reaches_no_shell(tmp_path: Path, tag: str) -> None:
    assert deploy(tmp_path, tag) == ""


def test_containers_are_replaced_one_after_the_other(tmp_path: Path) -> None:
    """With a docker that only notes its commands and has two old containers."""
    script, noted = tmp_path / "replace", tmp_path / "noted"
    script.write_text((ROOT / "deploy/replace").read_text())
    (tmp_path / ".env").write_text("SECRET_KEY=k\nIMAGE=site:1\nDOMAIN=d")
    program(tmp_path, "docker", f'echo "$*" >> {noted}; [ "$2" != ps ] || printf "one\\ntwo\\n"')
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", str(script), "site:2"], env=path, check=True)
    assert (tmp_path / ".env").read_text() == "SECRET_KEY=k\nDOMAIN=d\nIMAGE=site:2\n"
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    another = "compose up --detach --wait --no-deps --no-recreate --scale site=3 site"
    assert noted.read_text().splitlines() == [
        "compose pull site", "compose run --rm site migrate", "compose ps --quiet site",
        another, "stop -t 20 one", "rm one", another, "stop -t 20 two", "rm two",
        "compose up --detach --wait",
    ]  # fmt: skip


def test_it_tests_the_oldest_and_the_newest_python() -> None:
    assert JOBS["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.14"]


def test_the_image_is_of_both_architectures_and_only_tested_ones_are_deployed() -> None:
    (build,) = [step for step in steps("image") if "build-push" in step.get("uses", "")]
    assert build["with"]["platforms"] == "linux/amd64,linux/arm64"
    assert (JOBS["image"]["needs"], JOBS["deploy"]["needs"]) == ("test", "image")
    assert JOBS["deploy"]["if"] == "startsWith(github.ref, 'refs/tags/v')"


def test_secrets_are_not_on_a_command_line() -> None:
    for job in JOBS:
        assert not [step for step in steps(job) if "secrets." in step.get("run", "")]
