"""docs/protocol.md is compared with the code: every message, URL and code, in both directions."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from tornado.routing import URLSpec
from tornado.websocket import WebSocketHandler

from handlers.calls.relay import PASSED_ON
from handlers.http.problems import methods_of
from handlers.routes import routes
from models import errors, messages
from models.billing.checkouts import CheckoutStatus, OfferedCheckout
from models.calls.turn import IceServers
from models.profiles.users import Me
from models.room.queue import WirePage
from models.security.sessions import SignedInJson
from tests.support.markdown import cells, section, table

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = (ROOT / "docs" / "protocol.md").read_text()
SAMPLES = {
    "<mediaId>": "5d0c8a7e-3a0b-4b1e-9a44-9f1d6f0c2b33",
    "<callId>": "c0ffee00-1d2e-4f3a-8b4c-5d6e7f809112",
    "<sessionId>": "cs_test_1",
    "<reportId>": "0b5a3c1e-7a21-4b0c-8d3e-2f6a90c4d701",
    "<userId>": "1c6b4d2f-8b32-4c1d-9e4f-3a7ba1d5e812",
    "<banId>": "2d7c5e3a-9c43-4d2e-af5a-4b8cb2e6f923",
    "<paymentId>": "3e8d6f4b-ad54-4e3f-b06b-5c9dc3f70a34",
    "<staffId>": "4f9e7a5c-be65-4f40-817c-6daed4081b45",
    "<noticeId>": "50af8b6d-cf76-4051-927d-7ebfe5192c56",
    "<removalId>": "61b09c7e-d087-4162-a38e-8fc0f62a3d67",
    "<code>": "0123456789ABCDEF",
    "<token>": "0123456789abcdefghijklmnopqrstuv",
    "<path>": "css/app.css",
}
SENT = {"/ws/invites": get_args(messages.InviteCommand), "/ws/calls/ID": get_args(messages.RelayCommand)}


def tag_of(kind: type[msgspec.Struct]) -> str:
    return str(kind.__struct_config__.tag)


def tagged() -> list[type[msgspec.Struct]]:
    kinds = [kind for kind in vars(messages).values() if isinstance(kind, type)]
    return [kind for kind in kinds if issubclass(kind, messages.JsonStruct) and kind.__struct_config__.tag]


def told() -> list[type[msgspec.Struct]]:
    commands = {kind for kinds in SENT.values() for kind in kinds}
    return [kind for kind in tagged() if kind not in commands]


def examples(socket: str, direction: str) -> list[Any]:
    text = section(section(DOCUMENT, f"## {socket}"), f"### {direction}")
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)\n```", text, re.S)]


def as_ours(example: Any, kinds: tuple[type[msgspec.Struct], ...]) -> Any:
    """The example parsed and encoded again by our own type: unknown fields are dropped."""
    by_tag = {tag_of(kind): kind for kind in kinds}
    read = msgspec.json.decode(json.dumps(example), type=by_tag[example["type"]])
    return json.loads(msgspec.json.encode(read))


@pytest.mark.parametrize("socket", SENT)
def test_every_example_of_a_command_is_one(socket: str) -> None:
    for example in examples(socket, "Client sends"):
        if example["type"] not in PASSED_ON:
            assert as_ours(example, SENT[socket]) == example


@pytest.mark.parametrize("socket", SENT)
def test_every_example_of_an_answer_is_one(socket: str) -> None:
    for example in examples(socket, "Server sends"):
        assert as_ours(example, tuple(told())) == example


@pytest.mark.parametrize("socket", SENT)
def test_every_command_has_an_example(socket: str) -> None:
    expected = {tag_of(kind) for kind in SENT[socket]} | (PASSED_ON if socket == "/ws/calls/ID" else set())
    assert {example["type"] for example in examples(socket, "Client sends")} == expected


def test_every_answer_has_an_example() -> None:
    shown = {example["type"] for socket in SENT for example in examples(socket, "Server sends")}
    assert shown == {tag_of(kind) for kind in told()}


def test_every_field_is_shown_somewhere() -> None:
    shown: dict[str, set[str]] = {}
    for socket in SENT:
        for direction in ("Client sends", "Server sends"):
            for example in examples(socket, direction):
                shown.setdefault(f"{direction} {example['type']}", set()).update(example)
    for kind in told():
        fields = {field.encode_name for field in msgspec.structs.fields(kind)} - {"id", "retryAfter"}
        missing = fields - shown[f"Server sends {tag_of(kind)}"]
        assert not missing, f"{tag_of(kind)} never shows {missing}"


def test_every_reason_is_named() -> None:
    for reason in (*get_args(messages.DeclineReason), *get_args(messages.CancelReason)):
        assert f"`{reason}`" in DOCUMENT


def documented_routes() -> list[tuple[list[str], str]]:
    return [(row[0].split(", "), row[1].strip("`")) for row in table(DOCUMENT, "method")]


def route_of(path: str) -> URLSpec | None:
    for placeholder, value in SAMPLES.items():
        path = path.replace(placeholder, value)
    found = [spec for spec in routes() if spec.regex.match(path)]
    return found[0] if found else None


def methods(spec: URLSpec) -> set[str]:
    if issubclass(spec.handler_class, WebSocketHandler):
        return {"GET"}
    return set(methods_of(spec.handler_class)) - {"HEAD", "OPTIONS"}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/auth/guest", SignedInJson),
        ("/auth/upgrade", SignedInJson),
        ("/user/me", Me),
        ("/payment/create-checkout", OfferedCheckout),
        ("/payment-success", CheckoutStatus),
        ("/room/queue", WirePage),
        ("/turn/credentials", IceServers),
    ],
)
def test_every_field_of_an_answer_is_documented(path: str, kind: type[msgspec.Struct]) -> None:
    (row,) = [row for row in table(DOCUMENT, "method") if row[1] == f"`{path}`"]
    told = set(re.findall(r"\w+", row[3].rpartition("→")[2]))
    optional = {"recoveryCodes"} if path == "/auth/guest" else set()
    assert {field.encode_name for field in msgspec.structs.fields(kind)} - optional <= told


def test_every_documented_address_exists_with_its_methods() -> None:
    for documented, path in documented_routes():
        spec = route_of(path)
        assert spec is not None, path
        assert set(documented) == methods(spec), path


def test_every_address_is_documented() -> None:
    found = {spec.name for spec in map(route_of, (path for _, path in documented_routes())) if spec}
    assert found == {spec.name for spec in routes()}


def test_error_codes_are_those_of_the_code() -> None:
    kinds: list[type[errors.Problem]] = [errors.Problem]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    written = {(row[0].strip("`"), int(row[1])) for row in table(DOCUMENT, "code") if row[0].startswith("`")}
    assert written == {(kind.code, kind.status) for kind in kinds}


def test_close_codes_are_those_of_the_code() -> None:
    files = [*(ROOT / "handlers").rglob("*.py"), ROOT / "models" / "calls" / "calls.py"]
    used = {int(code) for file in files for code in re.findall(r"\b(10[01]\d|44\d\d)\b", file.read_text())}
    # 1005 is never sent: it stands for a close frame without a code (RFC 6455, 7.1.5).
    written = {int(row[0]) for row in table(DOCUMENT, "code") if row[0].isdigit()}
    assert written == used - {1005}


def test_what_is_documented_as_absent_is_absent() -> None:
    absent = re.findall(r"`(?:GET|POST|DELETE) (/[^`]*)`", section(DOCUMENT, "## Not in this version"))
    for path in absent:
        spec = route_of(path)
        assert spec is None or spec.name == "static", f"{path} exists: document it"


def test_messages_that_are_never_sent_are_documented_as_such() -> None:
    files = [*(ROOT / "handlers").rglob("*.py"), *(ROOT / "models").rglob("*.py")]
    code = "".join(file.read_text() for file in files if file.name != "messages.py")
    commands = {kind for kinds in SENT.values() for kind in kinds}
    idle = {
        tag_of(kind)
        for kind in tagged()
        if not re.search(rf"\b{kind.__name__}\(", code)
        and not (kind in commands and tag_of(kind) in PASSED_ON)
    }
    last = section(DOCUMENT, "## Not in this version").rpartition("Messages that")[2]
    assert set(cells(last)) == idle
