"""Files of uploads: limited in number, unnamed, deleted when closed."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import Unavailable
from models.profiles.uploads import MOST_OWN, Uploads, size_of, unnamed_file


def test_the_number_of_uploads_is_limited(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, 10)
    own = [uploads.open("ann", "192.0.2.1") for _ in range(MOST_OWN)]
    with pytest.raises(Unavailable):
        uploads.open("ann", "192.0.2.1")
    others = [uploads.open(f"{number}", f"198.51.100.{number}") for number in range(10 - MOST_OWN)]
    with pytest.raises(Unavailable) as refused:
        uploads.open("ben", "203.0.113.1")
    assert refused.value.retry_after
    for file in [*own, own[0], *others]:
        uploads.close(file)
    assert len(uploads) == 0
    uploads.close(uploads.open("ann", "192.0.2.1"))


def test_a_file_is_unnamed_and_elsewhere_if_the_directory_is_missing(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "missing"):
        with unnamed_file(directory) as file:
            file.write(b"four")
            assert size_of(file) == 4
            assert list(tmp_path.iterdir()) == []


def test_one_address_holds_at_most_half(tmp_path: Path) -> None:
    """An IPv6 address counts by its /64."""
    uploads = Uploads(tmp_path, 10)
    files = [uploads.open(f"{number}", f"2001:db8::{number}") for number in range(5)]
    with pytest.raises(Unavailable):
        uploads.open("ann", "2001:db8::ff")
    files.append(uploads.open("ben", "2001:db8:1::1"))
    for file in files:
        uploads.close(file)
    assert len(uploads) == 0
