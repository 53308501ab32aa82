""".github/workflows: what the workflow runs exists, and a tag leads to a deployment of both architectures."""

from __future__ import annotations

import os
import re
from typing import Any

import yaml

from tests.conftest import ROOT

JOBS: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/site.yml").read_text())["jobs"]


def steps(job: str) -> list[dict[str, Any]]:
    return list(JOBS[job]["steps"])


def test_what_it_runs_exists() -> None:
    (command,) = [step["run"] for step in steps("test") if "run" in step]
    assert os.access(ROOT / command, os.X_OK)
    (script,) = [step["run"] for step in steps("deploy")]
    assert (ROOT / "deploy" / "compose.yaml").exists()
    assert set(re.findall(r"docker compose \w+ (?:--\w+ )?(\w+)", script)) == {"site"}


def test_commands_in_the_image_have_no_python_in_front() -> None:
    """The image's entry point is `python server.py`."""
    assert 'ENTRYPOINT ["python", "server.py"]' in (ROOT / "Dockerfile").read_text()
    (script,) = [step["run"] for step in steps("deploy")]
    assert "docker compose run --rm site migrate" in script


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
