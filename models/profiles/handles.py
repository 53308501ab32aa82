"""Handles on other networks: typed or pasted text becomes the bare handle and a profile link.

A handle has one spelling, whether it was typed as `@Anna.Sky`, `anna.sky` or the URL of the profile. Links
lead only to that network. Raises: Invalid for handles that the network does not allow.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

from models.errors import Invalid
from models.visible_text import without_unseen

LONGEST_TYPED = 200


class SocialNetwork(NamedTuple):
    """The pattern of its handles (lower case), the URL prefixes before them, and the profile link."""

    label: str
    pattern: str
    addresses: tuple[str, ...]
    link: str
    rule: str


NETWORKS = {
    "instagram": SocialNetwork(
        "Instagram",
        r"(?!\.)(?!.*\.\.)[a-z0-9._]{1,30}(?<!\.)",
        ("instagram.com/",),
        "https://www.instagram.com/{}/",
        "Up to 30 letters, digits, dots and underscores.",
    ),
    "tiktok": SocialNetwork(
        "TikTok",
        r"[a-z0-9._]{2,24}(?<!\.)",
        ("tiktok.com/@", "tiktok.com/"),
        "https://www.tiktok.com/@{}",
        "2 to 24 letters, digits, dots and underscores.",
    ),
    "x": SocialNetwork(
        "X",
        r"[a-z0-9_]{1,15}",
        ("x.com/", "twitter.com/"),
        "https://x.com/{}",
        "Up to 15 letters, digits and underscores.",
    ),
    "snapchat": SocialNetwork(
        "Snapchat",
        r"[a-z][a-z0-9._-]{1,13}[a-z0-9]",
        ("snapchat.com/add/", "snapchat.com/@"),
        "https://www.snapchat.com/add/{}",
        "3 to 15 letters, digits, dots, dashes and underscores; a letter first.",
    ),
    # Discord has no profile URLs: its handle is shown as text.
    "discord": SocialNetwork(
        "Discord",
        r"(?!.*\.\.)[a-z0-9._]{2,32}(#[0-9]{4})?",
        (),
        "",
        "2 to 32 letters, digits, dots and underscores.",
    ),
}


class Contact(NamedTuple):
    """One handle for display. `url` is empty if the network has no profile URLs."""

    network: str
    label: str
    handle: str
    url: str


def clean_handles(typed: Mapping[str, str | None]) -> dict[str, str | None]:
    """The handles as they are stored; None removes one. Raises: Invalid with every faulty field at once."""
    clean: dict[str, str | None] = {}
    faults: dict[str, str] = {}
    for network, text in typed.items():
        if network not in NETWORKS:
            faults["handles"] = f"Supported networks: {', '.join(NETWORKS)}."
            continue
        clean[network] = _bare(NETWORKS[network], text or "") or None
        if clean[network] and not re.fullmatch(NETWORKS[network].pattern, clean[network] or ""):
            faults[network] = NETWORKS[network].rule
    if faults:
        raise Invalid(**faults)
    return clean


def _bare(network: SocialNetwork, typed: str) -> str:
    """Strips the URL and the @, in lower case."""
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
