"""What a decoder tells about a picture: hashes and a tiny preview, in few bytes."""

from __future__ import annotations

import base64
import io
import json

import av
import pytest
from PIL import Image

from models.profiles.decoding import descriptions
from models.profiles.decoding.decoder import MOST_MESSAGE
from robots.portraits import look_of, portrait

FACE = portrait(look_of(3, "female"), 300)


@pytest.mark.parametrize("with_hashes", [True, False])
def test_a_description_fits_in_an_answer(with_hashes: bool) -> None:
    found = descriptions.of_picture(FACE, with_hashes=with_hashes)
    assert len(json.dumps({"result": found})) < MOST_MESSAGE - 200
    assert Image.open(io.BytesIO(base64.b64decode(found["preview"]))).size == (16, 16)
    assert (len(found["turned"]), len(found["variants"])) == ((40, 36) if with_hashes else (0, 0))


def test_a_frame_of_a_video_is_written_and_described() -> None:
    target = io.BytesIO()
    found = descriptions.of_frame(av.VideoFrame.from_image(FACE), target)
    assert Image.open(target).format == "JPEG"
    assert len(found["variants"]) == 36
