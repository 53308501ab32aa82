"""The clients of the tests: an API client, a browser without scripts, and sockets."""

from __future__ import annotations

import asyncio
import json as jsonlib
import re
import uuid
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any, Self
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.support import secret_leaks

SECONDS = 20.0


@dataclass(frozen=True)
class Answer:
    """A response: `status`, `headers`, `text`, and `json` parsed on demand."""

    status: int
    headers: Any
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return jsonlib.loads(self.body)

    @property
    def is_json(self) -> bool:
        return self.body[:1] == b"{" and self.headers.get("Content-Type", "").startswith("application/json")

    @property
    def code(self) -> str:
        """The error code of a JSON error."""
        return str(self.json["error"]["code"])


def multipart(name: str, filename: str, kind: str, data: bytes, **fields: str) -> tuple[bytes, str]:
    """(body, content type) of a form with one file."""
    mark = uuid.uuid4().hex
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    parts.append(
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'.encode()
        + f"Content-Type: {kind}\r\n\r\n".encode()
    )
    return b"".join([*parts, data, f"\r\n--{mark}--\r\n".encode()]), f"multipart/form-data; boundary={mark}"


class Client:
    """An API client: requests JSON, sends a Bearer token, keeps no cookie."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._http = AsyncHTTPClient(force_instance=True, max_clients=200)

    async def send(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        json: Any = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        sent = {"Accept": "application/json"}
        secret_leaks.say("token", token)
        secret_leaks.say_private(json)
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if json is not None:
            body, sent["Content-Type"] = jsonlib.dumps(json).encode(), "application/json"
        sent |= headers or {}
        if method in ("POST", "PATCH", "PUT") and body is None:
            body = b""
        request = HTTPRequest(
            self.base_url + path, method=method, headers=sent, body=body, follow_redirects=False,
            request_timeout=40,
            validate_cert=False,  # Proxies of the tests sign their own.
            allow_nonstandard_methods=True, decompress_response=False,
        )  # fmt: skip
        response: HTTPResponse = await self._http.fetch(request, raise_error=False)
        if response.code == 599:
            raise ConnectionError(str(response.error))
        answer = Answer(response.code, response.headers, response.body or b"")
        if answer.is_json:
            secret_leaks.say_private(answer.json)
        return answer

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.send("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> Answer:
        return await self.send("POST", path, json=json, **options)

    async def upload(
        self, path: str, name: str, data: bytes, *, token: str, kind: str = "image/jpeg"
    ) -> Answer:
        body, content_type = multipart(name, "file.jpg", kind, data)
        return await self.send("POST", path, token=token, body=body, headers={"Content-Type": content_type})

    def close(self) -> None:
        self._http.close()


class Browser:
    """A browser without scripts: keeps cookies, sends the page's token, does not follow redirects."""

    def __init__(self, base_url: str) -> None:
        self._client = Client(base_url)
        self.cookies: dict[str, str] = {}
        self.xsrf = ""

    async def get(self, path: str, *, htmx: bool = False) -> Answer:
        return await self._send("GET", path, None, {}, htmx)

    async def post(self, path: str, *, htmx: bool = False, **fields: str) -> Answer:
        secret_leaks.say_private(fields)
        form = urlencode({"_xsrf": self.xsrf} | fields).encode()
        return await self._send(
            "POST", path, form, {"Content-Type": "application/x-www-form-urlencoded"}, htmx
        )

    async def upload(self, path: str, name: str, data: bytes, kind: str = "image/jpeg") -> Answer:
        body, content_type = multipart(name, "file.jpg", kind, data, _xsrf=self.xsrf)
        return await self._send("POST", path, body, {"Content-Type": content_type}, False)

    async def _send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], htmx: bool
    ) -> Answer:
        headers = {"Accept": "text/html", "Origin": self._client.base_url} | headers
        if htmx:
            headers["HX-Request"] = "true"
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = await self._client.send(method, path, body=body, headers=headers)
        for line in answer.headers.get_list("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                secret_leaks.say("cookie", morsel.value)
        found = re.search(rb'name="xsrf" content="([^"]+)"', answer.body)
        if found:
            self.xsrf = found[1].decode()
        return answer

    def close(self) -> None:
        self._client.close()


@dataclass
class Socket:
    """One of the two sockets, as opened by an API client. Unread messages wait in `inbox`."""

    connection: WebSocketClientConnection
    inbox: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    async def connect(
        cls, base_url: str, path: str, token: str | None, headers: dict[str, str] | None = None
    ) -> Self:
        sent = dict(headers or {})
        secret_leaks.say("token", token)
        if token:
            sent["Authorization"] = f"Bearer {token}"
        request = HTTPRequest(base_url.replace("http", "ws", 1) + path, headers=sent, validate_cert=False)
        return cls(await websocket_connect(request))

    def send(self, type: str, **fields: Any) -> None:
        secret_leaks.say_private(fields)
        self.connection.write_message(jsonlib.dumps({"type": type} | fields))

    def send_raw(self, frame: str | bytes) -> None:
        self.connection.write_message(frame, binary=isinstance(frame, bytes))

    async def receive(self, *types: str, seconds: float = SECONDS, **match: Any) -> dict[str, Any]:
        """The next message of one of these types (and with these values); others wait. Raises:
        ConnectionError, when the socket closes.
        """
        for message in self.inbox:
            if _fits(message, types, match):
                self.inbox.remove(message)
                return message
        async with asyncio.timeout(seconds):
            while True:
                frame = await self.connection.read_message()
                if frame is None:
                    raise ConnectionError(f"closed with {self.connection.close_code}; waiting: {self.inbox}")
                message = jsonlib.loads(frame)
                if _fits(message, types, match):
                    return dict(message)
                self.inbox.append(message)

    async def closed(self, seconds: float = SECONDS) -> int | None:
        """Waits for the close and returns its code; earlier messages are in `inbox`."""
        async with asyncio.timeout(seconds):
            while (frame := await self.connection.read_message()) is not None:
                self.inbox.append(jsonlib.loads(frame))
        return self.connection.close_code

    async def quiet(self) -> list[str]:
        """The types of everything that has arrived by the time the server answers a ping."""
        self.send("ping", id="quiet")
        await self.receive("pong", id="quiet")
        return [message["type"] for message in self.inbox]

    def close(self) -> None:
        self.connection.close()


def _fits(message: dict[str, Any], types: tuple[str, ...], match: dict[str, Any]) -> bool:
    return (not types or message["type"] in types) and all(
        message.get(key) == value for key, value in match.items()
    )
