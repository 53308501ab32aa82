"""Generated portraits: people who do not exist, in the colours of the product.

Everything follows from `seed` and gender, so that the same robot always looks the same.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter, ImageFont

SCALE = 2  # drawn larger and reduced, for smooth edges
WALLS = (
    ("#7a4638", "#24161f"),
    ("#3d5a66", "#141c26"),
    ("#5a4a7a", "#191528"),
    ("#6d5a34", "#201a16"),
    ("#39605a", "#121d1f"),
    ("#804a58", "#221522"),
)
SKINS = ("#f2c9a8", "#e7b48f", "#d9a074", "#b97c53", "#8d5a3b", "#6b4229")
HAIRS = ("#1d1512", "#2b1a17", "#4a2c1c", "#7b4a26", "#b5793d", "#8f8a86", "#d8b26a")
CLOTHES = ("#c65f3a", "#e6d9c3", "#35506b", "#7a8f5a", "#a8433a", "#d99a4e", "#53406e", "#2f3a3f")
LIPS = "#a8433a"


@dataclass(frozen=True)
class Look:
    """What is drawn. `hair` is one of `long bob bun short curls bald`."""

    wall: tuple[str, str]
    skin: str
    hair_colour: str
    hair: str
    clothes: str
    has_glasses: bool
    has_beard: bool
    window: bool


def look_of(seed: int, gender: str) -> Look:
    chance = random.Random(f"{seed}/{gender}")
    styles = {"female": ("long", "bob", "bun", "curls"), "male": ("short", "curls", "bald", "short")}
    style = styles.get(gender, ("bob", "short", "curls", "bun"))[seed % 4]
    return Look(
        wall=WALLS[seed % len(WALLS)],
        skin=SKINS[(seed * 5 + chance.randrange(2)) % len(SKINS)],
        hair_colour=HAIRS[(seed * 3 + chance.randrange(2)) % len(HAIRS)],
        hair=style,
        clothes=CLOTHES[(seed * 3 + 1) % len(CLOTHES)],
        has_glasses=seed % 3 == 1,
        has_beard=gender == "male" and seed % 2 == 0,
        window=seed % 2 == 0,
    )


def portrait(look: Look, size: int, *, mouth: float = 0.0, are_eyes_open: bool = True) -> Image.Image:
    """A square picture. `mouth` is 0 for a smile and 1 for wide open."""
    side = size * SCALE
    picture = _room(look, side)
    pen = _Pen(ImageDraw.Draw(picture), side)
    _body(pen, look)
    _face(pen, look, mouth=mouth, are_eyes_open=are_eyes_open)
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def jpeg(look: Look, size: int = 800) -> bytes:
    out = io.BytesIO()
    portrait(look, size).save(out, "JPEG", quality=90)
    return out.getvalue()


def caption(text: str, size: int) -> Image.Image:
    """The name as a light label with a transparent background."""
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(text)
    label = Image.new("RGBA", (int(right - left) + size, int(bottom - top) + size), (0, 0, 0, 0))
    pen = ImageDraw.Draw(label)
    pen.rounded_rectangle((0, 0, label.width - 1, label.height - 1), size // 2, (8, 6, 12, 150))
    pen.text((size // 2 - left, size // 2 - top), text, (255, 244, 234, 255), font)
    return label


class _Pen:
    """Ellipses and lines in tenths of the picture."""

    def __init__(self, draw: ImageDraw.ImageDraw, side: int) -> None:
        self.draw, self.unit = draw, side / 10

    def ellipse(self, x: float, y: float, across: float, down: float, colour: str) -> None:
        self.draw.ellipse(self._box(x - across, y - down, x + across, y + down), colour)

    def block(self, box: tuple[float, float, float, float], corner: float, colour: str) -> None:
        self.draw.rounded_rectangle(self._box(*box), corner * self.unit, colour)

    def arc(
        self, box: tuple[float, float, float, float], start: int, end: int, colour: str, width: float
    ) -> None:
        self.draw.arc(self._box(*box), start, end, colour, round(width * self.unit))

    def _box(self, *edges: float) -> tuple[float, float, float, float]:
        left, top, right, bottom = (edge * self.unit for edge in edges)
        return left, top, right, bottom


@lru_cache(maxsize=2)
def _room(look: Look, side: int) -> Image.Image:
    """A wall in the dusk, with a lamp or a window."""
    wall = Image.new("RGB", (1, 2))
    for row, colour in enumerate(look.wall):
        wall.putpixel((0, row), tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5)))
    picture = wall.resize((side, side), Image.Resampling.BICUBIC)
    pen = _Pen(ImageDraw.Draw(picture), side)
    if look.window:
        pen.block((0.5, 0.8, 2.9, 4.4), 0.2, "#1b2536")
        pen.ellipse(1.3, 1.7, 0.35, 0.35, "#f6e7cf")
        for x, y in ((2.1, 1.4), (2.4, 2.6), (1.1, 3.2), (1.8, 3.7)):
            pen.ellipse(x, y, 0.05, 0.05, "#f6e7cf")
    else:
        pen.ellipse(8.6, 1.9, 1.1, 1.1, "#ffcf9e")
        pen.ellipse(1.0, 8.2, 0.9, 1.6, "#3c5a45")
    return picture.filter(ImageFilter.GaussianBlur(side / 60)).copy()


def _body(pen: _Pen, look: Look) -> None:
    if look.hair == "long":
        pen.block((3.0, 3.4, 7.0, 8.2), 1.4, look.hair_colour)
    if look.hair == "bun":
        pen.ellipse(5, 1.6, 0.9, 0.9, look.hair_colour)
    pen.ellipse(5, 10.5, 3.7, 3.5, look.clothes)
    pen.block((4.25, 5.6, 5.75, 7.7), 0.6, _darker(look.skin))
    pen.ellipse(5, 7.4, 0.95, 0.5, _darker(look.skin))


def _face(pen: _Pen, look: Look, *, mouth: float, are_eyes_open: bool) -> None:
    _hair(pen, look)
    for side in (-1, 1):
        pen.ellipse(5 + side * 1.52, 4.75, 0.25, 0.38, _darker(look.skin))
    pen.ellipse(5, 4.65, 1.5, 1.9, look.skin)
    if look.hair in ("long", "bob", "bun"):
        pen.arc((3.4, 2.6, 6.6, 5.6), 195, 345, look.hair_colour, 0.55)
    if look.has_beard:
        pen.arc((3.55, 3.6, 6.45, 6.6), 15, 165, look.hair_colour, 0.5)
    for side in (-1, 1):
        _eye(pen, look, 5 + side * 0.62, are_eyes_open=are_eyes_open)
        pen.ellipse(5 + side * 0.85, 5.25, 0.28, 0.2, _mixed(look.skin, LIPS))
    pen.arc((4.78, 4.5, 5.22, 5.15), 40, 140, _darker(look.skin), 0.08)
    if mouth > 0.05:
        pen.ellipse(5, 5.72, 0.34, 0.06 + 0.2 * mouth, "#5c1f1c")
    pen.arc((4.4, 5.05, 5.6, 5.95 + 0.1 * mouth), 30, 150, LIPS, 0.11)


def _hair(pen: _Pen, look: Look) -> None:
    colour = look.hair_colour
    if look.hair == "bald":
        return
    if look.hair == "curls":
        for x, y in (
            (3.5, 3.6),
            (3.9, 2.7),
            (4.7, 2.25),
            (5.5, 2.3),
            (6.2, 2.8),
            (6.5, 3.7),
            (3.3, 4.5),
            (6.7, 4.5),
        ):
            pen.ellipse(x, y, 0.75, 0.75, colour)
    elif look.hair == "short":
        pen.ellipse(5, 3.75, 1.65, 1.6, colour)
    else:
        pen.ellipse(5, 4.1, 1.95, 2.2, colour)
    if look.hair == "bob":
        pen.block((3.05, 4.0, 6.95, 6.3), 0.8, colour)


def _eye(pen: _Pen, look: Look, x: float, *, are_eyes_open: bool) -> None:
    if are_eyes_open:
        pen.ellipse(x, 4.5, 0.22, 0.17, "#fbf4ec")
        pen.ellipse(x, 4.5, 0.12, 0.14, "#2a1c16")
    else:
        pen.arc((x - 0.22, 4.35, x + 0.22, 4.65), 10, 170, "#2a1c16", 0.07)
    pen.arc((x - 0.32, 4.02, x + 0.32, 4.5), 215, 325, _darker(look.hair_colour), 0.1)
    if look.has_glasses:
        pen.arc((x - 0.46, 4.12, x + 0.46, 4.92), 0, 360, "#2a1c16", 0.07)


def _mixed(one: str, other: str, share: float = 0.18) -> str:
    pairs = ((int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(mine + (theirs - mine) * share):02x}" for mine, theirs in pairs)


def _darker(colour: str) -> str:
    return _mixed(colour, "#201018")
