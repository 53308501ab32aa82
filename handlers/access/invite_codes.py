"""QR codes of invite codes, and printable posters."""

from __future__ import annotations

from handlers.base.handler import BaseHandler
from models.errors import NotFound

HOUR = 3600
TYPES = {"svg": "image/svg+xml", "png": "image/png"}


class QrHandler(BaseHandler):
    """GET /invite-codes/CODE/qr.svg, .png: for the code's owner; 404 for other users."""

    async def get(self, code: str, kind: str) -> None:
        await self._check(code)
        codes = self.models.invite_codes
        self._show(await (codes.qr_svg(code) if kind == "svg" else codes.qr_png(code)), kind)

    def _show(self, image: bytes, kind: str) -> None:
        self.set_header("Content-Type", TYPES[kind])
        self.set_header("Cache-Control", f"private, max-age={HOUR}")
        self.set_header("Vary", "Cookie, Authorization")
        self.finish(image)

    async def _check(self, code: str) -> None:
        if self.member is None or self.member.is_banned:
            raise NotFound
        await self.models.invite_codes.check_owner(code, self.member.user_id)


class PosterHandler(QrHandler):
    """GET /invite-codes/CODE/poster.svg: the QR code on a printable page."""

    async def get(self, code: str, _kind: str = "svg") -> None:
        await self._check(code)
        self._show(await self.models.invite_codes.poster(code), "svg")
