"""deploy/systemd: the units are valid, and what they name exists."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from models.settings.names import NAMES
from tests.conftest import ROOT

UNITS = sorted((ROOT / "deploy/systemd").iterdir())


def read(unit: Path) -> dict[str, list[str]]:
    """The values of each key, over all sections."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        if re.match(r"[A-Z]\w*=", line):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_accepts_it(unit: Path, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    assert program is not None, "systemd is missing: apt install systemd"
    copy = tmp_path / unit.name
    # The program of a real installation is not here.
    python = shutil.which("python3") or ""
    copy.write_text(unit.read_text().replace("/opt/napalmsky/.venv/bin/python", python))
    for other in UNITS:
        if other != unit:
            (tmp_path / other.name).write_text(other.read_text())
    told = subprocess.run([program, "verify", "--man=no", str(copy)], capture_output=True, text=True)
    complaints = [line for line in told.stderr.splitlines() if unit.stem in line and "/opt/" not in line]
    assert complaints == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_what_it_names_exists(unit: Path) -> None:
    told = read(unit)
    names = {pair.split("=")[0] for line in told.get("Environment", ()) for pair in line.split()}
    assert names <= NAMES
    for path in re.findall(r"/opt/napalmsky/(?!\.venv)(\S+)", " ".join(told.get("ExecStart", ()))):
        assert (ROOT / path).is_file()


def test_a_reload_of_a_single_process_does_not_stop_the_site() -> None:
    """SIGHUP drains it, and it exits with 0, which is no failure."""
    told = read(ROOT / "deploy/systemd/napalmsky.service")
    assert "-HUP" in told["ExecReload"][0]
    assert told["Restart"] == ["always"]


def test_only_the_parent_is_asked_to_stop_and_it_has_time() -> None:
    told = read(ROOT / "deploy/systemd/napalmsky.service")
    assert told["KillMode"] == ["mixed"]
    assert int(told["TimeoutStopSec"][0]) > 15
    assert told["ExecStart"][0].endswith("server.py")


def test_a_command_gets_the_settings_of_the_unit(tmp_path: Path) -> None:
    """`sudo napalmsky check`: quotes as systemd takes them away, spaces and $ as they are."""
    settings, program = tmp_path / "napalmsky.env", tmp_path / "napalmsky"
    settings.write_text(
        f'# ours\nOPERATOR_NAME="Two Words"\nOPERATOR_CONTACT=5 $street\n\nWORKERS=0\nDATA_DIR={tmp_path}\n'
    )
    text = (ROOT / "deploy/napalmsky").read_text()
    for there, here in (
        ("/etc/napalmsky.env", str(settings)),
        ("/opt/napalmsky", str(ROOT)),
        ("runuser -u napalmsky -- .venv/bin/python", sys.executable),
    ):
        assert there in text
        text = text.replace(there, here)
    program.write_text(text)
    ran = subprocess.run(["sh", str(program), "check"], capture_output=True, text=True, timeout=180)
    faults = [line.split()[0] for line in ran.stderr.splitlines() if line.startswith("  ")]
    assert (ran.returncode, faults) == (2, ["WORKERS"])
