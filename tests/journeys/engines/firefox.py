"""Debian's Firefox with fake devices, kept off the network, driven by Playwright over WebDriver BiDi."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from playwright.async_api import Browser, Playwright

from tests.conftest import ROOT
from tests.journeys.engines.bidi_proxy import FINGERS

PREFERENCES: dict[str, str | float | bool] = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.peerconnection.ice.loopback": True,
    # Host candidates by address: mDNS names need a multicast network, which a container has not.
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.gmp-manager.updateEnabled": False,
    # Without a loudspeaker no AudioContext of Firefox ever runs.
    "media.cubeb.force_mock_context": True,
    "media.cubeb.sandbox": False,
    "ui.prefersReducedMotion": 1,
    # Everything but loopback goes to a proxy that does not exist.
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1", "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1", "network.proxy.ssl_port": 9,
    "network.proxy.no_proxies_on": "localhost,127.0.0.1",
}  # fmt: skip
TOUCH: dict[str, str | float | bool] = {
    "dom.w3c_touch_events.enabled": 1,
    "dom.maxtouchpoints.testing.value": 1,
    "ui.primaryPointerCapabilities": 1,  # coarse, and no hover
    "ui.allPointerCapabilities": 1,
}


async def open_firefox(playwright: Playwright, place: Path, *, has_fingers: bool) -> Browser:
    """`place` takes the script by which Playwright starts it. With `has_fingers`, a click is a touch."""
    script = place / "firefox"
    words = [sys.executable, "-m", "tests.journeys.engines.bidi_proxy", *([FINGERS] if has_fingers else [])]
    script.write_text(f'#!/bin/sh\ncd {shlex.quote(str(ROOT))}\nexec {shlex.join(words)} "$@"\n')
    script.chmod(0o700)
    return await playwright.firefox.launch(
        channel="moz-firefox", executable_path=script, timeout=60_000,
        firefox_user_prefs=PREFERENCES | (TOUCH if has_fingers else {}),
    )  # fmt: skip
