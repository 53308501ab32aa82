"""WebKitGTK, driven by WebDriver: real clicks and keys, the roles and names of the accessibility tree.

Debian's build has no RTCPeerConnection. A journey with a call brings a stub of it (no_media.js), through
which no media flow: everything else of the call is real.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from tornado.testing import bind_unused_port

from tests.journeys.people.screen import until
from tests.support.pace import within

WINDOW = Path(__file__).parent / "webkit_window.py"
WATCH = (Path(__file__).parent / "webkit_watch.js").read_text()
NO_MEDIA = (Path(__file__).parent / "no_media.js").read_text()
START_SECONDS = 30.0
FAULT = re.compile("CONSOLE .*(ERROR|WARN)")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
# Prints every fault to the console, which the window prints.
# Shown elements of a role, by name. The names are compared with the accessibility tree's when one is used.
FIND = """
const [css, name, within] = arguments;
const clean = (text) => (text ?? "").trim().replace(/\\s+/g, " ");
const nameOf = (one) =>
  clean(one.getAttribute("aria-label") ?? one.labels?.[0]?.textContent ?? one.textContent);
const isShown = (one) => one.getClientRects().length > 0 && getComputedStyle(one).visibility === "visible";
const found = [...(document.querySelector(within) ?? document).querySelectorAll(css)]
  .find((one) => isShown(one) && nameOf(one).startsWith(name));
found?.scrollIntoView({ block: "center" }); // the driver does not always
return found ?? null;
"""
SHOWN = """
const isShown = (one) => one.getClientRects().length > 0 && getComputedStyle(one).visibility === "visible";
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const texts = [];
while (walk.nextNode()) if (isShown(walk.currentNode.parentElement)) texts.push(walk.currentNode.textContent);
return texts.join("").replace(/\\s+/g, " ");
"""


class WebKit:
    """A user with one window."""

    user_id = ""

    def __init__(self, name: str, url: str, driver: httpx.AsyncClient) -> None:
        self.name, self._url, self._driver = name, url, driver

    async def go(self, path: str) -> None:
        await self._post("url", url=self._url + path)

    async def run(self, script: str, *values: Any) -> Any:
        return await self._post("execute/sync", script=script, args=list(values))

    async def address(self) -> str:
        return str(await self._get("url"))

    async def at(self, path: str) -> None:
        pattern = re.compile(rf"https?://[^/]+{path}")
        await until(self.address, lambda address: pattern.fullmatch(address) is not None)

    async def text(self) -> str:
        """What is shown on the page; "" between two pages."""
        return str(await self.run("return document.body ? (() => {" + SHOWN + "})() : ''"))

    async def sees(self, words: str) -> None:
        await until(self.text, lambda text: words in text)

    async def find(self, role: str, name: str, within_: str = "body") -> str:
        """The id of the element; its role and name are those of the accessibility tree."""
        found = await until(lambda: self.run(FIND, ROLES[role], name, within_), lambda one: one is not None)
        one = str(found[ELEMENT])
        told = (
            await self._get(f"element/{one}/computedrole"),
            await self._get(f"element/{one}/computedlabel"),
        )
        assert told[0] in NAMES[role], told
        assert str(told[1]).startswith(name), told
        return one

    async def press(self, name: str, within_: str = "body") -> None:
        await self.choose("button", name, within_)

    async def choose(self, role: str, name: str, within_: str = "body") -> None:
        """Repeated while the element scrolls into view or is replaced."""

        async def click() -> str:
            one = await self.find(role, name, within_)
            answer = await self._driver.post(f"element/{one}/click", json={})
            return "" if answer.status_code == 200 else str(answer.json()["value"]["error"])

        await until(click, lambda error: error not in PASSING)

    async def fill(self, label: str, text: str) -> None:
        await self.choose("textbox", label)
        await self._post(f"element/{await self.find('textbox', label)}/value", text=text)

    async def picture(self) -> bytes:
        return base64.b64decode(str(await self._get("screenshot")))

    async def _post(self, what: str, **values: Any) -> Any:
        return read(await self._driver.post(what, json=values))

    async def _get(self, what: str) -> Any:
        return read(await self._driver.get(what))


PASSING = ("element not interactable", "element click intercepted", "stale element reference")
ROLES = {
    "button": "button, a[href], summary, [role=button]",
    "radio": "input[type=radio]",
    "checkbox": "input[type=checkbox]",
    "textbox": "input, textarea",
}
# A <summary> has no role in WebKit.
NAMES = {
    "button": ("button", "link", ""),
    "radio": ("radio",),
    "checkbox": ("checkbox",),
    "textbox": ("textbox",),
}


def read(answer: httpx.Response) -> Any:
    value = answer.json()["value"]
    assert answer.status_code == 200, value
    return value


def start_display(size: tuple[int, int]) -> tuple[subprocess.Popen[bytes], str]:
    """An X server on a number of its own choice."""
    there, here = os.pipe()
    words = ["Xvfb", "-displayfd", str(here), "-nolisten", "tcp", "-screen", "0", f"{size[0]}x{size[1]}x24"]
    with open(there) as numbers:
        server = subprocess.Popen(words, pass_fds=[here], stderr=subprocess.DEVNULL)
        os.close(here)
        return server, f":{numbers.readline().strip()}"


def start_driver(display: str, log: Path) -> tuple[subprocess.Popen[bytes], int]:
    socket, port = bind_unused_port()
    socket.close()
    environment = os.environ | {
        "DISPLAY": display, "GDK_BACKEND": "x11", "NO_AT_BRIDGE": "1", "LIBGL_ALWAYS_SOFTWARE": "1",
        "WEBKIT_DISABLE_COMPOSITING_MODE": "1",  # without it, about one picture a second
    }  # fmt: skip
    with log.open("wb") as output:
        words = ["WebKitWebDriver", f"--port={port}"]
        return subprocess.Popen(words, env=environment, stdout=output, stderr=output), port


async def new_session(client: httpx.AsyncClient, port: int, script: Path, size: tuple[int, int]) -> str:
    """Its address."""
    window = {"binary": "/usr/bin/python3", "args": [str(WINDOW), str(script), f"{size[0]}x{size[1]}"]}
    body = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": window}}}
    root = f"http://127.0.0.1:{port}/session"

    async def ask() -> httpx.Response | None:
        try:
            return await client.post(root, json=body)
        except httpx.ConnectError:
            return None

    answer = await until(ask, lambda one: one is not None, START_SECONDS)
    assert answer is not None
    return f"{root}/{read(answer)['sessionId']}"


@asynccontextmanager
async def webkit(
    name: str, url: str, place: Path, *, scripts: str = "", size: tuple[int, int] = (390, 844)
) -> AsyncIterator[WebKit]:
    """A window on a display of its own. Its console must stay free of errors and warnings."""
    script, log = place / f"{name}.js", place / f"{name}.log"
    script.write_text(WATCH + scripts)
    display, number = start_display(size)
    driver, port = start_driver(number, log)
    try:
        async with httpx.AsyncClient(timeout=within(START_SECONDS), trust_env=False) as client:
            client.base_url = httpx.URL(await new_session(client, port, script, size))
            yield WebKit(name, url, client)
            await client.delete("")
    finally:
        for process in (driver, display):
            process.terminate()
            process.wait(within(START_SECONDS))
    faults = [line for line in log.read_text(errors="replace").splitlines() if FAULT.match(line)]
    assert not faults, "\n".join(faults)
