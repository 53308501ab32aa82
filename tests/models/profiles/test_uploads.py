"""Files of uploads: limited in number, unnamed, deleted when closed."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import BinaryIO

import pytest

import models.profiles.uploads
from models.errors import Unavailable
from models.profiles.uploads import MOST_OWN, Uploads, size_of, unnamed_file


def test_the_number_of_uploads_is_limited(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, 10)
    own = [uploads.open("ann", "192.0.2.1", print) for _ in range(MOST_OWN)]
    with pytest.raises(Unavailable):
        uploads.open("ann", "192.0.2.1", print)
    others = [uploads.open(f"{number}", f"198.51.100.{number}", print) for number in range(10 - MOST_OWN)]
    with pytest.raises(Unavailable) as refused:
        uploads.open("ben", "203.0.113.1", print)
    assert refused.value.retry_after
    for file in [*own, own[0], *others]:
        uploads.close(file)
    assert len(uploads) == 0
    uploads.close(uploads.open("ann", "192.0.2.1", print))


def test_a_file_is_unnamed_and_elsewhere_if_the_directory_is_missing(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "missing"):
        with unnamed_file(directory) as file:
            file.write(b"four")
            assert size_of(file) == 4
            assert list(tmp_path.iterdir()) == []


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Uploads:
    """Ten places for uploads that have shown their pace at once."""
    monkeypatch.setattr(models.profiles.uploads, "NEW_SECONDS", -1.0)
    return Uploads(tmp_path, 10)


def fill(uploads: Uploads, *addresses: str) -> tuple[list[BinaryIO], list[int]]:
    """One upload from each address, each with more bytes than the last; the numbers of those cut off."""
    cut_off: list[int] = []
    files = []
    for number, address in enumerate(addresses):
        files.append(uploads.open(f"{number}", address, partial(cut_off.append, number)))
        files[-1].write(bytes(1000 * (number + 1)))
    return files, cut_off


def test_one_network_may_have_every_place_that_nobody_else_needs(uploads: Uploads) -> None:
    files, cut_off = fill(uploads, *[f"192.0.2.{number}" for number in range(10)])
    with pytest.raises(Unavailable):
        uploads.open("ann", "192.0.2.99", print)
    assert (len(uploads), cut_off) == (10, [])
    for number in range(5):
        files.append(uploads.open(f"ben {number}", f"2001:db8::{number}", print))
    # Now both have five: a sixth has to wait.
    assert (len(uploads), sorted(cut_off)) == (10, [0, 1, 2, 3, 4])
    for address in ("2001:db8:0:9::1", "192.0.2.1"):
        with pytest.raises(Unavailable):
            uploads.open("cat", address, print)
    for file in files:
        uploads.close(file)
    assert len(uploads) == 0


def test_two_slow_networks_do_not_keep_a_third_out(uploads: Uploads) -> None:
    files, cut_off = fill(uploads, *["192.0.2.1", "198.51.100.1"] * 5)
    files.append(uploads.open("ann", "203.0.113.1", print))
    assert cut_off == [0]
    assert files[0].closed
    for file in files:
        uploads.close(file)


def test_many_networks_with_one_upload_each_lose_the_slowest(uploads: Uploads) -> None:
    files, cut_off = fill(uploads, *[f"192.0.{number}.1" for number in range(10)])
    files.append(uploads.open("ann", "203.0.113.1", print))
    assert cut_off == [0]
    for file in files:
        uploads.close(file)


def test_whole_and_new_uploads_keep_their_places(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    files, cut_off = fill(uploads, *["192.0.2.1"] * 10)
    for file in files[:9]:
        uploads.complete(file)
    files.append(uploads.open("ann", "203.0.113.1", print))
    assert cut_off == [9]
    monkeypatch.setattr(models.profiles.uploads, "NEW_SECONDS", 5.0)
    with pytest.raises(Unavailable):
        uploads.open("ben", "203.0.114.1", print)
    for file in files:
        uploads.close(file)
