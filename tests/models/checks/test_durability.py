"""DATA_DIR in memory, in a container's own layer, and in a volume without a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.checks.durability import why_lost

ROOT = "22 1 0:20 / / rw - overlay overlay rw,lowerdir=/x"
ID = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("mounts", "cause"),
    [
        ("22 1 254:1 / / rw shared:1 - ext4 /dev/vda1 rw", None),
        (ROOT, "in the container itself"),
        (f"{ROOT}\n40 22 0:50 / /data rw - tmpfs tmpfs rw", "in memory"),
        (
            f"{ROOT}\n40 22 254:1 /var/lib/docker/volumes/{ID}/_data /data rw - ext4 /dev/vda1 rw",
            "has no name",
        ),
        (f"{ROOT}\n40 22 254:1 /var/lib/docker/volumes/napalmsky/_data /data rw - ext4 /dev/vda1 rw", None),
        (f"{ROOT}\n40 22 254:1 /srv/my\\040data /data rw master:1 - ext4 /dev/vda1 rw", None),
        (f"{ROOT}\n40 22 0:50 / /database rw - tmpfs tmpfs rw", "in the container itself"),
        ("", None),
        ("odd", None),
        (
            f"{ROOT}\n40 22 254:1 /srv/b\udce4r /data/b\udce4r rw - ext4 /dev/vda1 rw",
            "in the container itself",
        ),
    ],
)
def test_where_the_data_are(mounts: str, cause: str | None, tmp_path: Path) -> None:
    listed = tmp_path / "mountinfo"
    listed.write_text(mounts, errors="surrogateescape")
    told = why_lost(Path("/data/postgres"), listed)
    assert (told is None) == (cause is None)
    assert cause is None or (cause in str(told) and str(told).startswith("DATA_DIR: "))


def test_a_system_without_a_list_of_mounts_is_no_error(tmp_path: Path) -> None:
    assert why_lost(Path("/data"), tmp_path / "absent") is None
    assert why_lost(Path("/data"), tmp_path) is None


def test_this_machine_s_own_mounts_are_read() -> None:
    assert "in memory" in str(why_lost(Path("/dev/shm/napalmsky")))
