"""Posters: their content, and that the QR code can be scanned."""

from __future__ import annotations

import xml.etree.ElementTree as xml

from models.access.posters import poster_svg
from models.access.qr_codes import svg_of
from models.ids import new_code

URL = "https://sky.example/onboarding?inviteCode="
SVG = "{http://www.w3.org/2000/svg}"


def test_the_poster_has_the_qr_code_the_text_and_the_label() -> None:
    code = new_code()
    page = xml.fromstring(poster_svg(svg_of(URL + code), code, URL + code, "Café <Blau> & friends"))
    words = [text.text or "" for text in page.iter(f"{SVG}text")]
    assert URL + code in words
    assert code in {text.replace(" ", "") for text in words}
    assert words[-1] == "Café <Blau> & friends"
    (drawn,) = page.iter(f"{SVG}svg") if page.tag != f"{SVG}svg" else list(page.iter(f"{SVG}svg"))[1:]
    assert (drawn.get("width"), drawn.get("x")) == ("140", "35")
    assert list(drawn.iter(f"{SVG}path"))
