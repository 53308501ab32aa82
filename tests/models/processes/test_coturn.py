"""What our own coturn is started with: a secret that is whole, and no peers on loopback for others."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from models.processes.coturn import Coturn
from models.processes.data_directory import DataDirectory, EmbeddedError
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


@pytest.mark.parametrize(
    ("host", "base_url", "listening", "is_allowed"),
    [
        ("localhost", "http://localhost:8080", ["127.0.0.1"], True),
        ("::1", "http://localhost:8080", ["::1"], True),
        ("0.0.0.0", "http://localhost:8080", [], False),
        ("192.0.2.1", "http://localhost:8080", ["192.0.2.1"], False),
        ("127.0.0.1", "https://meet.example.org", [], False),
        ("0.0.0.0", "https://meet.example.org", [], False),
        # Not an address to coturn, and as a name it has one.
        ("127.1", "https://meet.example.org", ["127.0.0.1"], False),
    ],
)
def test_loopback_peers_are_only_for_programs_of_this_machine(
    tmp_path: Path, host: str, base_url: str, listening: list[str], is_allowed: bool
) -> None:
    config = Config(turn="embedded", host=host, base_url=base_url, public_ip="198.51.100.7")
    started = coturn(tmp_path, config)
    started.prepare()
    lines = (tmp_path / "coturn/turnserver.conf").read_text().splitlines()
    assert [line.partition("=")[2] for line in lines if line.startswith("listening-ip=")] == listening
    assert ("allow-loopback-peers" in lines, "external-ip=198.51.100.7" in lines) == (
        is_allowed,
        not is_allowed,
    )


def test_a_host_without_an_address_is_named(tmp_path: Path) -> None:
    config = Config(turn="embedded", host="no.such.name.invalid", base_url="https://meet.example.org")
    with pytest.raises(EmbeddedError, match="HOST: "):
        coturn(tmp_path, config).prepare()
