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


class HashMatch:
    def __init__(self, clock: Clock, config: Config) -> None:
        self._clock, self._config = clock, config

    async def is_match(self, jpeg: bytes, kind: MediaKind) -> bool:
        """False without a service, without a picture, and after a failure."""
        url = self._config.hash_match_url
        if url is None or not jpeg:
            return False
        try:
            async with asyncio.timeout(MATCH_SECONDS):
                return await self._ask(url, jpeg, kind)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            logger.warning("HASH_MATCH_URL: a picture was not compared: %s", cause_of(error))
        except (TimeoutError, msgspec.MsgspecError) as error:
            logger.warning("HASH_MATCH_URL: a picture was not compared: %s", type(error).__name__)
        return False

    async def _ask(self, url: str, jpeg: bytes, kind: MediaKind) -> bool:
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
