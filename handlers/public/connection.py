"""GET /connection: what the site sees of a request, for the callers of `server.py doctor`. Others get 404."""

from __future__ import annotations

from handlers.base.handler import BaseHandler
from handlers.http.request import address_of, comes_further, is_trusted
from models.errors import NotFound


class ConnectionHandler(BaseHandler):
    def get(self) -> None:
        member = self.allowed(selfie=False)
        if member.kind != "probe":
            raise NotFound
        peer = address_of(self.request.remote_ip or "")
        self.json(
            {
                "address": self.address,
                "peer": str(peer),
                "isTrusted": peer is not None and is_trusted(peer, self.config.trusted_proxies),
                "isForwarded": "X-Forwarded-For" in self.request.headers,
                "isFurther": comes_further(self.request, self.address),
                "baseUrl": self.config.base_url,
                "serverNow": self.models.clock.now_ms(),
            }
        )
