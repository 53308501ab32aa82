"""A small Twilio on loopback, at the level of HTTP: tokens of its Network Traversal Service.

Rejects what Twilio rejects: a wrong account, token or path. Fails on request: `twilio.faults.append("hang")`,
one for each coming request.
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs

from tornado.web import RequestHandler

from tests.support.fake_service import FakeService

SID = "ACstandin0123456789abcdef0123456789"
TOKEN = "standin-auth-token-0123456789"
GARBAGE: dict[str, bytes] = {
    "garbage": b"<html>not today</html>",
    "empty": b"",
    "list": b"[]",
    "no servers": b'{"ice_servers": [], "ttl": "60"}',
    "stun only": b'{"ice_servers": [{"url": "stun:s", "urls": "stun:s"}], "ttl": "60"}',
    "odd servers": b'{"ice_servers": "turn:x", "ttl": "60"}',
    "over": b'{"ice_servers": [{"urls": "turn:x", "username": "u", "credential": "c"}], "ttl": "0"}',
}


class TwilioStandIn(FakeService):
    """`asked`: the Ttl of every request for a token."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        super().__init__([(r"/2010-04-01/Accounts/(\w+)/Tokens.json", TokensHandler, {"twilio": self})])

    @property
    def settings(self) -> dict[str, Any]:
        """The settings for `make_site`."""
        return {"twilio_account_sid": SID, "twilio_auth_token": TOKEN, "twilio_api_base": self.api_base}

    def token(self, ttl: int) -> dict[str, Any]:
        number = len(self.asked)
        own = {"username": f"user-{number}", "credential": f"credential-{number}"}
        ways = ["?transport=udp", "?transport=tcp"]
        turn = [
            {"url": f"turn:twilio.test:3478{way}", "urls": f"turn:twilio.test:3478{way}", **own}
            for way in ways
        ]
        stun = {"url": "stun:twilio.test:3478", "urls": "stun:twilio.test:3478"}
        named = {"username": own["username"], "password": own["credential"], "account_sid": SID}
        at = "Tue, 24 Nov 2026 08:00:00 +0000"
        return {
            **named,
            "ttl": str(ttl),
            "date_created": at,
            "date_updated": at,
            "ice_servers": [stun, *turn],
        }


class TokensHandler(RequestHandler):
    def initialize(self, twilio: TwilioStandIn) -> None:
        self.twilio = twilio

    async def post(self, sid: str) -> None:
        ttl = int(parse_qs(self.request.body.decode()).get("Ttl", ["86400"])[0])
        self.twilio.asked.append(ttl)
        if self.twilio.faults and await self.goes_wrong(self.twilio.faults.popleft()):
            return
        signed = base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
        if sid != SID or self.request.headers.get("Authorization") != f"Basic {signed}":
            self.refuse(401)
            return
        self.set_status(201)
        self.finish(self.twilio.token(ttl))

    async def goes_wrong(self, fault: str) -> bool:
        """A status, `hang`, `reset`, or one of `GARBAGE`."""
        if fault == "hang":
            await self.twilio.let_go.wait()
        elif fault.isdigit():
            self.refuse(int(fault))
        elif fault in GARBAGE:
            self.set_status(201)
            self.finish(GARBAGE[fault])
        else:
            self.request.connection.stream.close()  # type: ignore[attr-defined]
        return True

    def refuse(self, status: int) -> None:
        """Twilio's messages contain the account."""
        self.set_status(status)
        self.finish({"code": 20003, "message": f"Authenticate {SID} {TOKEN}", "status": status})
