"""Handles on other networks: what people type or paste becomes the bare handle, and a link to look at.

Keeps nothing. Promises one spelling for a handle, whether it came as `@Anna.Sky`, as `anna.sky` or as the
address of the profile, and links that lead to that network and nowhere else. Refuses what the network itself
would not take as a name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

from models.errors import Invalid
from models.visible_text import without_unseen

LONGEST_TYPED = 200


class Network(NamedTuple):
    """How its handles look (lower case), what stands before them in an address, and where a link leads."""

    label: str
    pattern: str
    addresses: tuple[str, ...]
    link: str
    rule: str


NETWORKS = {
    "instagram": Network(
        "Instagram",
        r"(?!\.)(?!.*\.\.)[a-z0-9._]{1,30}(?<!\.)",
        ("instagram.com/",),
        "https://www.instagram.com/{}/",
        "Up to 30 letters, digits, dots and underscores.",
    ),
    "tiktok": Network(
        "TikTok",
        r"[a-z0-9._]{2,24}(?<!\.)",
        ("tiktok.com/@", "tiktok.com/"),
        "https://www.tiktok.com/@{}",
        "2 to 24 letters, digits, dots and underscores.",
    ),
    "x": Network(
        "X",
        r"[a-z0-9_]{1,15}",
        ("x.com/", "twitter.com/"),
        "https://x.com/{}",
        "Up to 15 letters, digits and underscores.",
    ),
    "snapchat": Network(
        "Snapchat",
        r"[a-z][a-z0-9._-]{1,13}[a-z0-9]",
        ("snapchat.com/add/", "snapchat.com/@"),
        "https://www.snapchat.com/add/{}",
        "3 to 15 letters, digits, dots, dashes and underscores; a letter first.",
    ),
    # Discord has no addresses of people: its handle is shown as text.
    "discord": Network(
        "Discord",
        r"(?!.*\.\.)[a-z0-9._]{2,32}(#[0-9]{4})?",
        (),
        "",
        "2 to 32 letters, digits, dots and underscores.",
    ),
}


class Contact(NamedTuple):
    """One handle, ready to be shown; `url` is empty where the network has none."""

    network: str
    label: str
    handle: str
    url: str


def clean_handles(typed: Mapping[str, str | None]) -> dict[str, str | None]:
    """Each as it is kept; None: taken away. Raises Invalid, every faulty field at once."""
    clean: dict[str, str | None] = {}
    faults: dict[str, str] = {}
    for network, text in typed.items():
        if network not in NETWORKS:
            faults["handles"] = f"Known are {', '.join(NETWORKS)}."
            continue
        clean[network] = _bare(NETWORKS[network], text or "") or None
        if clean[network] and not re.fullmatch(NETWORKS[network].pattern, clean[network] or ""):
            faults[network] = NETWORKS[network].rule
    if faults:
        raise Invalid(**faults)
    return clean


def _bare(network: Network, typed: str) -> str:
    """Without the address around it, the @ and the capitals."""
    text = unicodedata.normalize("NFKC", without_unseen(typed[:LONGEST_TYPED])).strip().lower()
    text = re.sub(r"^(https?:/{1,2})?(www\.|m\.|mobile\.)?", "", text) if network.addresses else text
    for address in network.addresses:
        if text.startswith(address):
            return re.split(r"[/?#]", text.removeprefix(address), maxsplit=1)[0].removeprefix("@")
    return text.removeprefix("@")


def contacts_of(handles: Mapping[str, str]) -> list[Contact]:
    """In the order of `NETWORKS`."""
    return [
        Contact(name, network.label, handles[name], network.link.format(handles[name]))
        for name, network in NETWORKS.items()
        if name in handles
    ]
