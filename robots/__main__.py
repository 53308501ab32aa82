"""`python -m robots`: reads one JSON line with its task from standard input.

    {"url": "http://127.0.0.1:8080", "robots": [{"token", "name", "gender", "seed", "rings"}, …]}
    {"url": "https://meet.example.org", "tokens": [two], "user_ids": [two], "relayOnly": false}

The first plays the partners of the demo; the second makes one call and prints its result as one JSON line.
The process ends when its standard input closes, so that it never outlives the server that started it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys

from robots.client import SiteMessage
from robots.partner import Partner, Role
from robots.probe import probe


async def main() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    plan = json.loads(await reader.readline())
    work = asyncio.create_task(_demo(plan) if "robots" in plan else _probe(plan))
    life = asyncio.create_task(reader.read())
    await asyncio.wait((work, life), return_when=asyncio.FIRST_COMPLETED)
    work.cancel()
    await asyncio.wait((work,))


async def _demo(plan: SiteMessage) -> None:
    roles = [Role(**one) for one in plan["robots"]]
    await asyncio.gather(*(Partner(plan["url"], role).run() for role in roles))


async def _probe(plan: SiteMessage) -> None:
    print(json.dumps(await probe(plan)), flush=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="robots: %(message)s", stream=sys.stderr)
    logging.getLogger("robots").setLevel(logging.INFO)
    asyncio.run(main())
