"""Handles: typed or pasted text as it is stored, and what is refused."""

from __future__ import annotations

import pytest

from models.errors import Invalid
from models.profiles.handles import NETWORKS, clean_handles, contacts_of


@pytest.mark.parametrize(
    ("network", "typed", "kept"),
    [
        ("instagram", "@Anna.Sky", "anna.sky"),
        ("instagram", " https://www.instagram.com/anna.sky/?igsh=1 ", "anna.sky"),
        ("instagram", "instagram.com/anna_sky#top", "anna_sky"),
        ("tiktok", "https://www.tiktok.com/@anna", "anna"),
        ("tiktok", "@anna", "anna"),
        ("x", "https://twitter.com/Anna_1", "anna_1"),
        ("x", "x.com/anna", "anna"),
        ("snapchat", "https://www.snapchat.com/add/anna-sky", "anna-sky"),
        ("discord", "Anna.Sky", "anna.sky"),
        ("discord", "anna#1234", "anna#1234"),
        ("x", "https://mobile.twitter.com/Anna_1/status/5", "anna_1"),
        ("instagram", "\u2068＠Anna.Sky\u2069\u200f", "anna.sky"),
        ("discord", "", None),
        ("x", None, None),
    ],
)
def test_a_handle_has_one_spelling(network: str, typed: str | None, kept: str | None) -> None:
    assert clean_handles({network: typed}) == {network: kept}


@pytest.mark.parametrize(
    ("network", "typed"),
    [
        ("instagram", "a" * 31),
        ("instagram", "anna..sky"),
        ("instagram", ".anna"),
        ("instagram", "anna sky"),
        ("x", "a" * 16),
        ("x", "anna.sky"),
        ("snapchat", "1anna"),
        ("tiktok", "https://evil.example/@anna"),
        ("discord", "<script>"),
        ("instagram", "\u202eanna"),
        ("x", "javascript:alert(1)"),
    ],
)
def test_handles_that_the_network_does_not_allow_are_refused(network: str, typed: str) -> None:
    with pytest.raises(Invalid) as caught:
        clean_handles({network: typed})
    assert set(caught.value.fields or {}) == {network}


def test_every_fault_is_reported_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        clean_handles({"x": "a b", "instagram": "?", "myspace": "anna", "discord": "anna"})
    assert set(caught.value.fields or {}) == {"x", "instagram", "handles"}


def test_links_lead_only_to_their_network() -> None:
    contacts = contacts_of(dict.fromkeys(NETWORKS, "anna"))
    assert [one.network for one in contacts] == list(NETWORKS)
    links = {one.network: one.url for one in contacts}
    assert links["instagram"] == "https://www.instagram.com/anna/"
    assert links["discord"] == ""
    assert all(link.endswith(("anna", "anna/")) for link in links.values() if link)
