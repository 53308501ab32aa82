"""Invented people, drawn for screenshots: as a photo, and as the picture of a camera."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

from tests.conftest import ROOT

LOOKS = {  # wall above, wall below, skin, hair, clothes
    "Mira": ("#6b3f3a", "#2a1a24", "#e7b48f", "#2b1a17", "#c65f3a"),
    "Noah": ("#3d5a66", "#182430", "#c98d66", "#1d1512", "#e6d9c3"),
}


def portrait(name: str, width: int, height: int, sway: float = 0.0) -> Image.Image:
    """A person in a warm room, at any size."""
    above, below, skin, hair, clothes = LOOKS[name]
    sky = Image.new("RGB", (1, 2))
    sky.putpixel((0, 0), _rgb(above))
    sky.putpixel((0, 1), _rgb(below))
    picture = sky.resize((width, height), Image.Resampling.BICUBIC)
    pen, unit, middle = ImageDraw.Draw(picture), height / 10, width / 2 + sway * width
    _ellipse(pen, width * 0.85, unit * 2, unit * 1.1, unit * 1.1, "#ffcf9e")
    picture = picture.filter(ImageFilter.GaussianBlur(unit / 3))
    pen = ImageDraw.Draw(picture)
    _ellipse(pen, middle, unit * 11, unit * 3.9, unit * 3.6, clothes)
    pen.rounded_rectangle(
        (middle - unit * 0.75, unit * 5.6, middle + unit * 0.75, unit * 8.2), unit * 0.6, skin
    )
    _ellipse(pen, middle, unit * 4.1, unit * 2.0, unit * 2.35, hair)
    if name == "Mira":
        pen.rounded_rectangle(
            (middle - unit * 2.0, unit * 4, middle + unit * 2.0, unit * 7.2), unit * 0.9, hair
        )
        pen.rounded_rectangle(
            (middle - unit * 0.7, unit * 5.6, middle + unit * 0.7, unit * 8), unit * 0.6, skin
        )
    _ellipse(pen, middle, unit * 4.6, unit * 1.5, unit * 1.9, skin)
    for side in (-1, 1):
        _ellipse(pen, middle + side * unit * 0.6, unit * 4.4, unit * 0.14, unit * 0.17, hair)
    pen.arc(
        (middle - unit * 0.7, unit * 4.8, middle + unit * 0.7, unit * 5.8),
        25,
        155,
        "#a8433a",
        round(unit / 8),
    )
    return picture.filter(ImageFilter.GaussianBlur(unit / 40))


def _rgb(text: str) -> tuple[int, int, int]:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _ellipse(pen: ImageDraw.ImageDraw, x: float, y: float, across: float, down: float, colour: str) -> None:
    pen.ellipse((x - across, y - down, x + across, y + down), colour)


def film(name: str, home: Path) -> list[str]:
    """The Chromium flag of a camera that sees this person."""
    path = home / f"{name}.mjpeg"
    with path.open("wb") as out:
        for step in range(20):
            portrait(name, 1280, 720, abs(step - 10) / 400).save(out, "JPEG", quality=88)
    return [f"--use-file-for-fake-video-capture={path}"]


def photo(name: str) -> bytes:
    out = io.BytesIO()
    portrait(name, 800, 800).save(out, "JPEG", quality=90)
    return out.getvalue()


def compose(home: Path) -> None:
    call = Image.open(home / "call.png").convert("RGB").resize((1120, 700), Image.Resampling.LANCZOS)
    room = Image.open(home / "room.png").convert("RGB").resize((300, 649), Image.Resampling.LANCZOS)
    sheet = Image.new("RGB", (1280, 800), "#0b0a10")
    for picture, place, corner in ((call, (120, 40), 14), (room, (40, 115), 26)):
        mask = Image.new("L", picture.size, 0)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, *picture.size), corner, 255)
        frame = Image.new("RGB", (picture.width + 6, picture.height + 6), "#3a3341")
        edge = Image.new("L", frame.size, 0)
        ImageDraw.Draw(edge).rounded_rectangle((0, 0, *frame.size), corner + 3, 255)
        sheet.paste(frame, (place[0] - 3, place[1] - 3), edge)
        sheet.paste(picture, place, mask)
    colours = sheet.quantize(256, method=Image.Quantize.MEDIANCUT, kmeans=2)
    small = sheet.quantize(palette=colours, dither=Image.Dither.FLOYDSTEINBERG)
    small.save(ROOT / "docs" / "screenshot.png", optimize=True)
