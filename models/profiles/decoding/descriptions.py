"""What a decoder tells about a picture besides its pixels: hashes for re-uploads, and a tiny preview.

The preview has 16 by 16 pixels and is shown enlarged: staff see that there is a picture, and roughly its
colours, before they ask to see it.
"""

from __future__ import annotations

import base64
import io
from typing import Any, BinaryIO

from PIL import Image

from models.profiles.decoding import perceptual_hash

PREVIEW_SIDE, FRAME_SIDE, QUALITY = 16, 640, 80


def of_picture(image: Image.Image, *, with_hashes: bool = True) -> dict[str, Any]:
    """`preview` in Base64 (RFC 4648); `turned` and `variants` in hexadecimal, empty for a flat picture."""
    turned = perceptual_hash.turned(image) if with_hashes else []
    variants = perceptual_hash.variants(image) if turned else []
    return {
        "preview": base64.b64encode(_preview(image)).decode(),
        "turned": [one.hex() for one in turned],
        "variants": [one.hex() for one in variants],
    }


def of_frame(frame: Any, target: BinaryIO) -> dict[str, Any]:
    """Writes a frame of a video (PyAV) to `target` as JPEG and describes it."""
    image: Image.Image = frame.to_image()
    image.thumbnail((FRAME_SIDE, FRAME_SIDE))
    image.save(target, "JPEG", quality=QUALITY)
    return of_picture(image)


def _preview(image: Image.Image) -> bytes:
    out = io.BytesIO()
    small = image.convert("RGB").resize((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.BOX)
    small.save(out, "JPEG", quality=60)
    return out.getvalue()
