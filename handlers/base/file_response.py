"""The content of a picture or a video: whole, or one range of it (RFC 9110, section 14)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from handlers.base.byte_ranges import Range, range_of
from handlers.base.handler import BaseHandler
from handlers.http.downloads import cut_off, send
from models.profiles.media import CHUNK, MediaFile


class FileHandler(BaseHandler):
    """Base of handlers that serve media files. An id always names the same bytes, so it is the ETag."""

    async def answer(self, file: MediaFile, cache: str) -> None:
        """Sends the file after the access check; `cache` is the lifetime of the client's copy."""
        self._describe(file, cache)
        if self.check_etag_header():
            return self.set_status(304)
        part = self._part(file)
        if part is None or self.request.method == "HEAD":
            return None
        return await self._send(file, part)

    def _part(self, file: MediaFile) -> Range | None:
        """Sets the headers and returns the range to send; None if it cannot be satisfied."""
        part = range_of(self._wanted(), file.byte_size)
        if part is not None and part.first >= file.byte_size:
            self.set_status(416)
            self.set_header("Content-Range", f"bytes */{file.byte_size}")
            return None
        if part is not None:
            self.set_status(206)
            self.set_header("Content-Range", f"bytes {part.first}-{part.last}/{file.byte_size}")
        part = part or Range(0, file.byte_size - 1)
        self.set_header("Content-Length", str(part.size))
        return part

    def _wanted(self) -> str | None:
        """The requested range. Ranges are only for GET (14.2), and `If-Range` names the version that the
        browser has (13.1.5).
        """
        etag = self._headers["Etag"]
        is_same = self.request.headers.get("If-Range", etag) == etag
        return self.request.headers.get("Range") if is_same and self.request.method == "GET" else None

    async def _send(self, file: MediaFile, part: Range) -> None:
        await send(self, self._chunks(file, part))

    async def _chunks(self, file: MediaFile, part: Range) -> AsyncIterator[bytes]:
        """Reads to the end, or to the point at which the file was deleted."""
        for first in range(part.first, part.last + 1, CHUNK):
            last = min(first + CHUNK - 1, part.last)
            data = await self.models.media.read(file, first, last)
            if len(data) <= last - first:
                cut_off(self)
                return
            yield data

    def _describe(self, file: MediaFile, cache: str) -> None:
        self.set_header("Content-Type", file.content_type)
        self.set_header("Content-Disposition", "inline")
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Cache-Control", cache)
        self.set_header("Vary", "Cookie, Authorization")
        self.set_header("Etag", f'"{file.media_id}"')

    def compute_etag(self) -> str | None:
        """Set by `_describe`: no hash of the bytes is needed."""
        return None
