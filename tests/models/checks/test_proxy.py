"""What the doctor sends through the proxy; tests/handlers/commands/test_doctor.py has what it concludes."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from handlers.http.security_headers import security_headers
from models.checks.proxy import PHOTO_BYTES, altered, bearer, padded
from models.settings.config import Config
from tests.conftest import ROOT

PICTURE = (ROOT / "static" / "icons" / "icon-512.png").read_bytes()


def test_a_padded_picture_is_large_and_the_same_picture() -> None:
    data = padded(PICTURE, PHOTO_BYTES)
    assert PHOTO_BYTES <= len(data) < PHOTO_BYTES + 100
    with Image.open(io.BytesIO(data)) as large, Image.open(io.BytesIO(PICTURE)) as small:
        assert large.tobytes() == small.tobytes()


def test_a_caller_is_an_api_client() -> None:
    assert bearer("abc") == {"Authorization": "Bearer abc"}


OURS = {name.lower(): value for name, value in security_headers(Config()).items()}


def test_our_own_headers_are_fine() -> None:
    assert altered(OURS) == []
    # A proxy may remove one, or repeat ours.
    assert altered({}) == []
    assert altered(OURS | {"referrer-policy": "same-origin, strict-origin-when-cross-origin"}) == []


@pytest.mark.parametrize(
    ("name", "value", "effect"),
    [
        ("permissions-policy", "camera=(), microphone=(), geolocation=()", "no camera"),
        ("permissions-policy", "microphone=()", "no microphone"),
        ("referrer-policy", "no-referrer", "hide their origin"),
        ("content-security-policy", "default-src 'none'", "both"),
        ("content-security-policy", "upgrade-insecure-requests", "both"),
    ],
)
@pytest.mark.parametrize("is_added", [True, False], ids=["added", "replaced"])
def test_headers_that_a_proxy_changes(name: str, value: str, effect: str, is_added: bool) -> None:
    """Pasted from lists of "security headers". Several lines of one name are joined by commas."""
    text = f"{OURS[name]}, {value}" if is_added else value
    found = altered(OURS | {name: text})
    assert len(found) == (1 if is_added or name != "content-security-policy" else 0)
    assert all(effect in one for one in found)
