"""QR codes as SVG and PNG. The only module that imports qrcode."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import qrcode
from qrcode.image.pil import PilImage
from qrcode.image.svg import SvgPathFillImage


def svg_of(url: str) -> bytes:
    """Blocking."""
    return _image(url, SvgPathFillImage)


def png_of(url: str) -> bytes:
    """Blocking."""
    return _image(url, PilImage)


def _image(url: str, factory: Any) -> bytes:
    """ISO/IEC 18004, error correction M, with the quiet zone of 4 modules that scanners need."""
    out = BytesIO()
    code = qrcode.QRCode(
        error_correction=qrcode.ERROR_CORRECT_M, box_size=12, border=4, image_factory=factory
    )
    code.add_data(url)
    code.make_image().save(out)
    return out.getvalue()
