"""What our own coturn is started with: a secret that is whole, and no peers on loopback for others."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from models.processes.coturn import Coturn
from models.processes.data_directory import DataDirectory
from models.settings.config import Config


def coturn(home: Path, config: Config | None = None) -> Coturn:
    return Coturn(DataDirectory(home, home, account=None, durable=False), config or Config(turn="embedded"))


@pytest.mark.parametrize("left", ["", "\n", "ab" * 31])
def test_an_incomplete_secret_is_replaced(tmp_path: Path, left: str) -> None:
    coturn(tmp_path).place.directory(tmp_path / "coturn")
    (tmp_path / "coturn/secret").write_text(left)
    secret = coturn(tmp_path).secret
    assert (len(secret), secret != left) == (64, True)
    assert (tmp_path / "coturn/secret").stat().st_mode & 0o077 == 0
    assert coturn(tmp_path).secret == secret


def test_a_full_disk_leaves_no_secret_instead_of_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", is_full)
    with pytest.raises(OSError, match="No space"):
        _ = coturn(tmp_path).secret
    assert not (tmp_path / "coturn/secret").exists()
    monkeypatch.undo()
    assert len(coturn(tmp_path).secret) == 64
