"""Between Playwright and Firefox: python -m tests.journeys.engines.bidi_proxy [--fingers] ARGUMENTS

Starts Debian's Firefox with the arguments and passes WebDriver BiDi messages on, with two changes. Commands
that this Firefox lacks are answered here. With `--fingers`, clicks of the mouse become touches, because
Playwright has no tap over BiDi.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

FIREFOX = "/usr/bin/firefox-esr"
FINGERS = "--fingers"
LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
UNKNOWN = ("emulation.setMediaFeaturesOverride",)  # since Firefox 154; here the preferences set them


class Proxy:
    def __init__(self, address: str, *, has_fingers: bool) -> None:
        self._address, self._has_fingers = address, has_fingers

    async def serve(self, playwright: ServerConnection) -> None:
        async with connect(self._address, max_size=None, ping_interval=None, proxy=None) as firefox:
            there = asyncio.create_task(self._commands(playwright, firefox))
            try:
                async for message in firefox:
                    await playwright.send(message)
            except ConnectionClosed:
                pass  # Playwright has closed it first
            finally:
                there.cancel()

    async def _commands(self, playwright: ServerConnection, firefox: ClientConnection) -> None:
        async for text in playwright:
            command = json.loads(text)
            if command["method"] in UNKNOWN:
                await playwright.send(json.dumps({"type": "success", "id": command["id"], "result": {}}))
                continue
            await firefox.send(json.dumps(self._touching(command)) if self._has_fingers else text)
        await firefox.close()

    def _touching(self, command: dict[str, Any]) -> dict[str, Any]:
        if command["method"] == "input.performActions":
            for source in command["params"]["actions"]:
                if source["type"] == "pointer":
                    source["parameters"] = {"pointerType": "touch"}
        return command


async def main(*arguments: str) -> int:
    """Prints the proxy's own address where Firefox prints its own."""
    own = [word for word in arguments if word != FINGERS]
    firefox = await asyncio.create_subprocess_exec(FIREFOX, *own, stderr=asyncio.subprocess.PIPE)
    assert firefox.stderr is not None
    async for line in firefox.stderr:
        text = line.decode(errors="replace")
        if found := LISTENS.search(text):
            proxy = Proxy(f"{found[1]}/session", has_fingers=FINGERS in arguments)
            server = await serve(proxy.serve, "127.0.0.1", 0, max_size=None, ping_interval=None)
            port = server.sockets[0].getsockname()[1]
            text = LISTENS.sub(f"WebDriver BiDi listening on ws://127.0.0.1:{port}", text)
        print(text, end="", file=sys.stderr, flush=True)
    return await firefox.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
