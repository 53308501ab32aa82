"""Conversion of a picture to sRGB by its embedded ICC profile (ICC.1:2022).

A damaged profile, or one for another colour space, is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from PIL import Image, ImageCms

# The colour space in the header of a profile -> the mode of the pictures that it describes.
SPACES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}
MOST_PROFILE = 4 * 1024 * 1024


def to_srgb(image: Image.Image, info: Mapping[Any, Any]) -> Image.Image:
    """The picture itself if it has no usable profile. Transparency is kept."""
    profile = info.get("icc_profile")
    if not isinstance(profile, bytes) or len(profile) > MOST_PROFILE:
        return image
    alpha = image.getchannel("A") if image.mode in ("RGBA", "LA") else None
    colours = image.convert({"RGBA": "RGB", "LA": "L"}.get(image.mode, image.mode))
    if SPACES.get(profile[16:20]) != colours.mode:
        return image
    try:
        converted = _convert(colours, profile)
    except MemoryError:
        raise
    except Exception:  # the library raises several kinds for a damaged profile
        return image
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def _convert(image: Image.Image, profile: bytes) -> Image.Image:
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        image.mode,
        "RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None
    return converted
