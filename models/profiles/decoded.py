"""A decoded picture or frame with its description (`models.profiles.decoding.descriptions`)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import msgspec


class Decoded(msgspec.Struct, frozen=True):
    """`data` is a JPEG, empty if a video has no frame. Hashes are in hexadecimal: `turned` of the picture
    and its mirrored and rotated forms, `variants` of the picture and its slightly cropped forms.
    """

    data: bytes
    preview: bytes = b""
    turned: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()

    @classmethod
    def of(cls, data: bytes, found: Mapping[str, Any]) -> Decoded:
        """`found` is the decoder's answer."""
        preview = base64.b64decode(found.get("preview", ""))
        return cls(data, preview, tuple(found.get("turned", ())), tuple(found.get("variants", ())))
