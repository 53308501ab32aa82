"""Which compressed form of a file a client gets (RFC 9110, 12.5.3)."""

from __future__ import annotations

import gzip
from pathlib import Path

import brotli
import pytest

from handlers.http.compression import variant_of, wanted


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br", "br"), ("gzip", "gzip"), ("GZIP", "gzip"), ("*", "br"), ("br;q=0, *", "gzip"),
        ("br;q=0.1, gzip;q=0.9", "br"), ("", None), ("identity", None), ("gzip;q=0", None), ("br;q=x", None),
    ],
)  # fmt: skip
def test_the_encoding_is_one_that_the_client_accepts(accepted: str, encoding: str | None) -> None:
    assert wanted(accepted) == encoding


async def test_a_long_header_is_not_kept(tmp_path: Path) -> None:
    """It is sent by anyone, and one cache is shared by all."""
    wanted.cache_clear()
    script = tmp_path / "a.js"
    script.write_bytes(b"const a = 1;")
    assert await variant_of(script, "gzip, " + "x" * 60_000) is None
    assert wanted.cache_info().currsize == 0


async def test_the_content_is_the_same_in_every_encoding(tmp_path: Path) -> None:
    script, picture = tmp_path / "a.js", tmp_path / "a.png"
    for file in (script, picture):
        file.write_bytes(b"const a = 1;\n" * 100)
    for encoding, decompress in (("br", brotli.decompress), ("gzip", gzip.decompress)):
        found = await variant_of(script, encoding)
        assert found is not None
        assert (found.encoding, decompress(found.body)) == (encoding, script.read_bytes())
    assert await variant_of(script, "identity") is None
    assert await variant_of(picture, "br") is None
