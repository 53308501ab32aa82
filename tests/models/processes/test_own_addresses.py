"""The addresses of our own coturn, the certificate that it uses, and the directory of the metrics."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from models.processes.coturn import certificate_of, public_address, stun_urls, turn_urls
from models.processes.metrics_directory import metrics_directory
from models.settings.config import Config

SITE = Config(base_url="https://meet.example.org", public_ip="203.0.113.7", turn_port=3478)


def test_browsers_get_the_name_of_the_site() -> None:
    assert stun_urls(SITE) == ("stun:meet.example.org:3478",)
    plain = ("turn:meet.example.org:3478", "turn:meet.example.org:3478?transport=tcp")
    assert turn_urls(SITE)[:2] == plain


def test_the_public_address_is_the_setting_or_that_of_the_name() -> None:
    assert public_address(SITE) == "203.0.113.7"
    assert public_address(Config(base_url="http://localhost:8080")) is None
    assert public_address(Config(base_url="https://no.such.name.invalid")) is None


def test_the_certificate_is_the_one_that_caddy_keeps_for_the_name() -> None:
    path = certificate_of(SITE, Path("/data"))
    assert path.is_relative_to("/data/caddy/certificates")
    assert path.name == "meet.example.org.crt"


@pytest.mark.parametrize(
    ("directory", "folder"),
    [
        (None, "acme-v02.api.letsencrypt.org-directory"),
        (
            "https://acme-staging-v02.api.letsencrypt.org/directory",
            "acme-staging-v02.api.letsencrypt.org-directory",
        ),
        ("https://ca.test:9443/acme/local/directory", "ca.test-9443-acme-local-directory"),
    ],
)
def test_the_certificates_of_each_authority_have_their_own_folder(directory: str | None, folder: str) -> None:
    path = certificate_of(replace(SITE, acme_directory=directory), Path("/data"))
    assert path.parent.parent.name == folder


def test_the_directory_of_the_metrics_is_removed_at_the_end(tmp_path: Path) -> None:
    with metrics_directory(tmp_path) as place:
        (place / "1.db").write_bytes(b"x")
    assert not place.exists()
