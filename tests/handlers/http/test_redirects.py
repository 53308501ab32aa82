"""Paths of this site, and those that a browser could read as another site."""

from __future__ import annotations

import pytest

from handlers.http.redirects import STEPS, is_own_path, safe, tidied


@pytest.mark.parametrize("path", ["/", "/room", "/calls/x?y=1#z", *STEPS.values()])
def test_a_path_of_this_site_is_kept(path: str) -> None:
    assert is_own_path(path)
    assert safe(path) == path


@pytest.mark.parametrize(
    "path", ["", "room", "//example.com", "https://example.com", "/\\example.com", "/\n/x", "/\t/example.com"]
)
def test_any_other_path_becomes_the_room(path: str) -> None:
    assert safe(path) == "/room"


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/Room", "/room"), ("/room/", "/room"), ("/INVITE/0ABC/", "/invite/0ABC"),
        ("/invite/0ABC", "/invite/0ABC"),
        ("/", "/"), ("//example.com/", "//example.com/"), ("/a b/", "/a b/"), ("/x//y/", "/x//y/"),
    ],
)  # fmt: skip
def test_an_address_as_it_was_meant(path: str, meant: str) -> None:
    assert tidied(path) == meant
