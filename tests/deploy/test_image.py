"""The container image: what its Dockerfile promises. `test_built_image.py` builds it."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.support.image.dockerfile import ROOT, environment, is_copied, ours

STEPS = ours()
VERSION = (ROOT / "VERSION").read_text().strip()


def of(name: str) -> list[str]:
    return [one.text for one in STEPS if one.name == name]


def test_its_labels_are_those_of_oci() -> None:
    labels = {name: value for one in STEPS if one.name == "LABEL" for name, value in one.pairs.items()}
    prefix = "org.opencontainers.image."
    assert {name.removeprefix(prefix) for name in labels} >= {"title", "description", "version", "licenses"}
    assert all(name.startswith(prefix) for name in labels)
    assert labels[f"{prefix}version"] == "$VERSION"
    assert labels[f"{prefix}licenses"] in (ROOT / "LICENSE").read_text()


def test_its_version_is_that_of_the_changelog() -> None:
    assert of("ARG") == [f"VERSION={VERSION}"]
    newest = re.search(r"^## ([\d.]+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert newest
    assert newest[1] == VERSION


def test_its_health_check_needs_no_recent_docker() -> None:
    (check,) = of("HEALTHCHECK")
    # --start-interval needs Docker 25.
    assert set(re.findall(r"--([a-z-]+)=", check)) == {"interval", "timeout", "start-period", "retries"}


def test_group_0_may_write_to_the_data_directory() -> None:
    data = environment(STEPS)["DATA_DIR"]
    (made,) = [text for text in of("RUN") if "install --directory" in text]
    assert re.search(rf"install --directory --owner=napalm --group=root --mode=0775 {data}$", made)
    assert of("VOLUME") == [data]
    assert of("USER") == ["napalm"]


def test_the_code_is_compiled_after_it_was_copied() -> None:
    names = [one.name if one.name != "RUN" else one.text for one in STEPS]
    compiled = next(number for number, name in enumerate(names) if "compileall" in name)
    assert [one.text for one in STEPS[:compiled] if one.name == "COPY"][-1] == ". ."
    assert names[compiled].endswith("server.py handlers models robots")
    assert "USER" in names[compiled:]


def test_every_file_that_the_server_reads_is_copied() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    needed = [
        name
        for name in listed.stdout.splitlines()
        if re.match(
            r"(server\.py|LICENSE|VERSION|requirements[\w-]*\.txt|(handlers|models|robots|sql|static|templates)/)",
            name,
        )
    ]
    needed = [name for name in needed if name != "requirements-dev.txt"]
    assert len(needed) > 300
    assert [name for name in needed if not is_copied(name)] == []


@pytest.mark.parametrize("name", [".git/config", "data/lock", ".env", "tests/conftest.py", "node_modules/x"])
def test_nothing_else_is_copied(name: str) -> None:
    assert not is_copied(name)
