"""The files under /static, and those that browsers look for at the root."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tornado.web import StaticFileHandler

from handlers.base.handler import BaseHandler
from handlers.http.assets import is_as_started, static_url, static_version
from handlers.http.compression import variant_of
from models.errors import NotFound

YEAR = 365 * 24 * 3600
# Python's own list depends on the machine and its version.
TYPES = {
    ".js": "text/javascript; charset=UTF-8",
    ".css": "text/css; charset=UTF-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".ico": "image/x-icon",
    ".png": "image/png",
    ".txt": "text/plain; charset=UTF-8",
}


class StaticHandler(BaseHandler, StaticFileHandler):
    """GET /static/[<version>/]…: with the right version cached for a year, otherwise revalidated with 304.

    Modules and fonts refer to each other relatively, and so keep the version: a page fetches nothing twice.
    """

    is_counted = False
    _encoding = ""

    def initialize(self, path: str) -> None:  # type: ignore[override]
        BaseHandler.initialize(self)
        StaticFileHandler.initialize(self, path)

    async def prepare(self) -> None:
        """Public: no session is looked up."""

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        """Raises: NotFound, for a name that no file system allows."""
        if "\0" in path:
            raise NotFound
        return super().get_absolute_path(root, path)

    async def get(self, version: str | None, path: str) -> None:  # type: ignore[override]
        self._is_exact = version == static_version()
        self.set_header("Vary", "Accept-Encoding")
        if not (self._is_exact and await self._sent_compressed(path)):
            await StaticFileHandler.get(self, path)

    async def _sent_compressed(self, path: str) -> bool:
        """Whether the client got a compressed variant, with its own ETag. Ranges are of the file itself."""
        self.path = self.parse_url_path(path)
        found = self.validate_absolute_path(self.root, self.get_absolute_path(self.root, self.path))
        if found is None or "Range" in self.request.headers or not is_as_started(Path(found)):
            return False
        variant = await variant_of(Path(found), self.request.headers.get("Accept-Encoding", ""))
        if variant is None:
            return False
        self.absolute_path, self._encoding = found, variant.encoding
        self.modified = self.get_modified_time()
        self.set_headers()
        if self.should_return_304():
            self.set_status(304)
        else:
            self.set_header("Content-Encoding", variant.encoding)
            self.write(variant.body)
        await self.finish()
        return True

    def compute_etag(self) -> str | None:
        etag = super().compute_etag()
        return f'{etag[:-1]}-{self._encoding}"' if etag and self._encoding else etag

    async def head(self, version: str | None, path: str) -> None:  # type: ignore[override]
        self._is_exact = version == static_version()
        await StaticFileHandler.get(self, path, include_body=False)

    def get_content_type(self) -> str:
        suffix = Path(self.absolute_path or "").suffix
        return TYPES.get(suffix) or super().get_content_type()

    def get_cache_time(self, *_args: Any) -> int:
        return 0  # Set below, in one header.

    def set_extra_headers(self, path: str) -> None:
        is_kept = self._is_exact and is_as_started(Path(self.absolute_path or ""))
        self.set_header("Cache-Control", f"public, max-age={YEAR}, immutable" if is_kept else "no-cache")


class ServiceWorkerHandler(StaticHandler):
    """GET /sw.js: the file itself, because redirects are rejected, and at the root, because that is its scope
    (Service Workers, "Register").
    """

    async def get(self) -> None:  # type: ignore[override]
        await StaticHandler.get(self, None, "sw.js")

    async def head(self) -> None:  # type: ignore[override]
        await StaticHandler.head(self, None, "sw.js")


class RootFileHandler(BaseHandler):
    """GET /favicon.ico, /manifest.webmanifest, /apple-touch-icon….png: redirects to the files under
    /static.
    """

    is_counted = False

    async def prepare(self) -> None:
        """Public: no session is looked up."""

    def get(self, name: str) -> None:
        place = "icons/apple-touch-icon.png" if name.startswith("apple-touch-icon") else f"icons/{name}"
        self.set_status(302)
        self.set_header("Location", static_url(place))
        self.set_header("Cache-Control", "public, max-age=3600")
        self.finish()
