"""Printable posters: an invite code's QR code with a short text, as one SVG page of A4 size."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

PAPER = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 210 297">'
    '<rect width="210" height="297" fill="white"/><g text-anchor="middle" fill="black">'
)
SIZE = re.compile(r"<svg [^>]*?viewBox=\"([^\"]+)\"[^>]*>")


def poster_svg(qr: bytes, code: str, url: str, label: str | None) -> bytes:
    """`qr` is the QR code as a separate SVG document; `label` is printed small at the bottom."""
    spaced = " ".join(code[at : at + 4] for at in range(0, len(code), 4))
    lines = [
        _line(46, 15, "serif", "Come and talk"),
        _line(60, 6, "sans-serif", "Face to face, with someone who is here right now."),
        _placed(qr),
        _line(222, 7, "sans-serif", "Scan this, and you are in free."),
        _line(236, 8, "monospace", spaced),
        _line(248, 4, "sans-serif", url),
        _line(283, 3.5, "sans-serif", label or ""),
    ]
    return f"{PAPER}{''.join(lines)}</g></svg>".encode()


def _line(y: float, size: float, family: str, text: str) -> str:
    return f'<text x="105" y="{y}" font-family="{family}" font-size="{size}">{escape(text)}</text>'


def _placed(qr: bytes) -> str:
    """Nests the SVG without its XML header and size, centred on the page."""
    drawn = qr.decode().split("?>", 1)[-1]
    place = r'<svg x="35" y="70" width="140" height="140" viewBox="\1">'
    return SIZE.sub(place, drawn, count=1)
