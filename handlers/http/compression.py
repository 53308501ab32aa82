"""Compressed variants of static files, made once at their first request, outside the event loop.

Only of files with a version, whose bytes never change. Pages are not compressed: together with text of a
request, their length could reveal a token (BREACH). The only module that imports brotli.
"""

from __future__ import annotations

import asyncio
import gzip
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import brotli

KINDS = frozenset({".js", ".css", ".svg", ".webmanifest", ".txt"})
ENCODINGS = ("br", "gzip")
# What is remembered is limited too.
LONGEST_HEADER = 200


class Variant(NamedTuple):
    """A body and its Content-Encoding."""

    encoding: str
    body: bytes


async def variant_of(file: Path, accept_encoding: str) -> Variant | None:
    """The best variant that the client accepts; None if that is the file itself."""
    encoding = wanted(accept_encoding) if len(accept_encoding) <= LONGEST_HEADER else None
    if encoding is None or file.suffix not in KINDS:
        return None
    return Variant(encoding, await asyncio.to_thread(_compressed, file, encoding))


@lru_cache(maxsize=1024)
def wanted(accept_encoding: str) -> str | None:
    """The first of ENCODINGS with a weight above zero (RFC 9110, 12.5.3)."""
    weights = dict(map(_weighted, accept_encoding.lower().split(",")))
    return next((one for one in ENCODINGS if weights.get(one, weights.get("*", 0.0)) > 0), None)


def _weighted(part: str) -> tuple[str, float]:
    name, _, parameter = part.partition(";")
    try:
        return name.strip(), float(parameter.strip().removeprefix("q=") or 1)
    except ValueError:
        return name.strip(), 0.0


@lru_cache(maxsize=1024)
def _compressed(file: Path, encoding: str) -> bytes:
    plain = file.read_bytes()
    if encoding == "br":
        return bytes(brotli.compress(plain, mode=brotli.MODE_TEXT))
    return gzip.compress(plain, mtime=0)
