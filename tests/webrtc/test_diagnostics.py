"""What "Copy diagnostics" contains: enough to help, and no address, token or name."""

from __future__ import annotations

import json
import re

import pytest

from tests.journeys.people.visitor import until
from tests.journeys.stage import Stage, journey
from tests.webrtc.callers import couple

ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}|([0-9a-f]{1,4}:){3,}|::1|\.local\b", re.I)
SECRETS = [
    "192.168.1.20", "10.0.0.7:50123", "fe80::1ff:fe23:4567:890a", "2001:db8:0:0:0:0:2:1", "::ffff:192.0.2.1",
    "5f3c9d1e-7a1b-4c2d-9e8f-0a1b2c3d4e5f.local", "printer.local", "0b9c1f64-7a0e-4d53-9b1f-3f2f6f1c8a27",
    "c2VjcmV0LXR1cm4tcGFzc3dvcmQ=",
]  # fmt: skip


@journey
async def test_copied_diagnostics_hold_no_address_and_no_token(stage: Stage) -> None:
    anna, ben = await couple(stage)
    await anna.visitor.context.grant_permissions(
        ["clipboard-read", "clipboard-write", "camera", "microphone"]
    )
    await anna.visitor.press("Devices")
    await anna.visitor.press("Copy diagnostics")
    await anna.visitor.sees("Diagnostics copied")
    text = str(await until(lambda: anna.run("navigator.clipboard.readText()"), bool))
    (cookie,) = [one for one in await anna.visitor.context.cookies() if one["name"] == "session"]
    for secret in (cookie["value"], anna.visitor.call_id, anna.user_id, ben.user_id, "Anna", "Ben"):
        assert secret not in text
    assert not ADDRESS.search(text), ADDRESS.search(text)
    told = json.loads(text)
    assert told["route"]["local"] in ("host", "prflx")
    assert told["connection"]["connectionState"] == "connected"
    assert told["media"]["camera"]["readyState"] == "live"


@pytest.mark.prove
@journey
async def test_without_a_clipboard_it_is_there_to_be_copied_by_hand(stage: Stage) -> None:
    anna, _ = await couple(
        stage, scripts="Object.defineProperty(navigator, 'clipboard', { value: undefined });"
    )
    await anna.visitor.press("Devices")
    await anna.visitor.press("Copy diagnostics")
    area = anna.page.get_by_label("Diagnostics, to be copied by hand")
    assert json.loads(await area.input_value())["quality"] in ("unknown", "good", "unsteady", "weak")


@pytest.mark.parametrize("secret", SECRETS)
@journey
async def test_what_looks_like_a_secret_is_struck_out(stage: Stage, secret: str) -> None:
    visitor = await stage.visitor("Reader")
    await visitor.go("/")
    script = "async (text) => (await import('/static/call/diagnostics.js')).redact(text)"
    told = await visitor.page.evaluate(script, f'{{"a": "{secret}", "width": 1280, "route": "host"}}')
    assert secret.split(".")[0] not in told
    assert '"width": 1280, "route": "host"' in told
