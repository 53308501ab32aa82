"""What the doctor sends through the proxy; tests/handlers/commands/test_doctor.py has what it concludes."""

from __future__ import annotations

import io

from PIL import Image

from models.checks.proxy import PHOTO_BYTES, bearer, padded
from tests.conftest import ROOT

PICTURE = (ROOT / "static" / "icons" / "icon-512.png").read_bytes()


def test_a_padded_picture_is_large_and_the_same_picture() -> None:
    data = padded(PICTURE, PHOTO_BYTES)
    assert PHOTO_BYTES <= len(data) < PHOTO_BYTES + 100
    with Image.open(io.BytesIO(data)) as large, Image.open(io.BytesIO(PICTURE)) as small:
        assert large.tobytes() == small.tobytes()


def test_a_caller_is_an_api_client() -> None:
    assert bearer("abc") == {"Authorization": "Bearer abc"}
