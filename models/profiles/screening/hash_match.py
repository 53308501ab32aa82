"""An external service that knows pictures which no site may show: HASH_MATCH_URL, off by default.

A new picture (of a video: one frame) is sent as `POST image/jpeg`, with `X-Napalmsky-Kind: selfie|video` and
`X-Napalmsky-Signature: t=<epoch seconds>,v1=<hex>`: the HMAC-SHA-256 (RFC 2104) of `<t>.<body>` with
HASH_MATCH_SECRET. The answer is JSON, `{"match": true}` or `{"match": false}`, within five seconds and 4 KiB.
Redirects are not followed. If there is no such answer, the picture counts as no match, and the cause is
logged.
"""

from __future__ import annotations

import asyncio
import logging

import httpx
import msgspec

from models.clock import Clock
from models.mail.alerts import cause_of, signature
from models.profiles.media import MediaKind
from models.settings.config import Config

logger = logging.getLogger(__name__)
MATCH_SECONDS, MOST_ANSWER = 5.0, 4096


class Match(msgspec.Struct, frozen=True):
    match: bool


class NotCompared(Exception):
    """The service gave no answer that can be used. `is_refused`: it did not accept our signature."""

    def __init__(self, cause: str, is_refused: bool = False) -> None:
        super().__init__(cause)
        self.is_refused = is_refused


class HashMatch:
    def __init__(self, clock: Clock, config: Config) -> None:
        self._clock, self._config = clock, config

    async def is_match(self, jpeg: bytes, kind: MediaKind) -> bool:
        """False without a service, without a picture, and after a failure."""
        url = self._config.hash_match_url
        if url is None or not jpeg:
            return False
        try:
            return await self._ask(url, jpeg, kind)
        except NotCompared as error:
            logger.warning("HASH_MATCH_URL: a picture was not compared: %s", error)
        return False

    async def fault(self, jpeg: bytes) -> str | None:
        """What is wrong with the service's answer to a picture of our own, or None. Only with a service."""
        try:
            is_match = await self._ask(self._config.hash_match_url or "", jpeg, "selfie")
        except NotCompared as error:
            setting = "HASH_MATCH_SECRET" if error.is_refused else "HASH_MATCH_URL"
            return f"{setting}: the service compares no picture: {error}."
        return "HASH_MATCH_URL: the service has a match for a picture of our own." if is_match else None

    async def _ask(self, url: str, jpeg: bytes, kind: MediaKind) -> bool:
        """Raises: NotCompared."""
        try:
            async with asyncio.timeout(MATCH_SECONDS):
                return await self._answer(url, jpeg, kind)
        except httpx.HTTPStatusError as error:
            raise NotCompared(cause_of(error), error.response.status_code in (401, 403)) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotCompared(cause_of(error)) from error
        except TimeoutError as error:
            raise NotCompared(f"no answer within {MATCH_SECONDS:.0f} seconds") from error
        except msgspec.MsgspecError as error:
            raise NotCompared('the answer is not {"match": true} or {"match": false}') from error

    async def _answer(self, url: str, jpeg: bytes, kind: MediaKind) -> bool:
        at = int(self._clock.now().timestamp())
        headers = {"Content-Type": "image/jpeg", "X-Napalmsky-Kind": kind}
        headers["X-Napalmsky-Signature"] = signature(self._config.hash_match_secret or "", at, jpeg)
        async with (
            httpx.AsyncClient(timeout=MATCH_SECONDS, follow_redirects=False) as client,
            client.stream("POST", url, content=jpeg, headers=headers) as answer,
        ):
            answer.raise_for_status()
            return msgspec.json.decode(await _body(answer), type=Match).match


async def _body(answer: httpx.Response) -> bytes:
    """At most `MOST_ANSWER` bytes; a longer answer is cut off and cannot be decoded."""
    body = b""
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > MOST_ANSWER:
            break
    return body[:MOST_ANSWER]
