"""Access control: every URL and message that takes an id, tried by every kind of user.

The owner, the other side, a stranger, a blocked user, a banned user, a user without access, and a request
without a session. A stranger gets byte for byte the answer to a random id.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, get_args

import pytest
from tornado.httpclient import HTTPClientError

from handlers.routes import routes
from models import messages
from models.ids import new_code, new_id
from tests.conftest import MakePerson, MakeSite, Person, Running
from tests.support.billing.fake_stripe import StripeStandIn
from tests.support.billing.payers import paid_twice
from tests.support.clients import Answer
from tests.support.scenes import Two, ban, rows

# What takes no other user's id: about oneself, public, or by a link that is valid for any holder.
WITHOUT = frozenset((
    "home", "terms", "imprint", "privacy", "live_stats", "onboarding", "guest", "login_page", "upgrade",
    "login", "logout", "me", "settings", "password", "email", "recovery_codes", "recover_page", "link_sent",
    "recover", "recovery_link", "reset", "selfie", "video", "remove_video", "paywall",
    "create_checkout", "apply_code", "stripe_webhook", "receipt", "room", "queue", "history", "healthz",
    "readyz", "metrics", "csp_report", "root_files", "service_worker", "static", "appeal", "export",
    "delete", "deleted", "accept_terms", "accept_introduction", "too_young", "connection", "notice",
    "confirm", "send_confirmation",
    "notice_status", "own_reports", "handed_appeal", "handed_file", "banned_export",
    "age", "age_start", "age_return",
))  # fmt: skip
# The console has its own table, every URL by every role: tests/handlers/console/test_base.py.
CONSOLE = "/admin"
WHOM = {"userId": "{id}"}
SPAM = {"userId": "{id}", "reason": "spam"}
PASSING = ("Date", "Etag", "Set-Cookie")
# Random for each report, also for one that refers to nothing.
REFERENCE = re.compile(r'(?<="reference":")R-[0-9A-F]{10}')
XSRF_TOKEN = re.compile(r"2\|[0-9a-f]+\|[0-9a-f]+\|\d+")
# A card shows its user to every member.
SHOWN = frozenset(("media", "introductions"))
ROLES = ("other", "stranger", "blocked", "banned", "unpaid", "nobody")
RANDOM = {"code": new_code, "session": lambda: "cs_test_" + new_id().replace("-", "")}


@dataclass(frozen=True)
class Door:
    """`{id}` is in the path or the body; `kind` says whose id it is. Answers: the owner, then ROLES."""

    route: str
    kind: str
    method: str
    path: str
    answers: tuple[int, int, int, int, int, int, int]
    body: dict[str, Any] | None = None


# A banned user can still read their own data, so for other users' ids they get the same answer as strangers.
READ_BY_ITS_OWNER = (200, 404, 404, 404, 404, 404, 404)
OWNERS = (200, 404, 404, 404, 403, 404, 401)
PARTIES = (200, 200, 404, 404, 403, 404, 401)
DOORS = [
    Door("media", "media", "GET", "/media/{id}", (200, 200, 200, 200, 404, 404, 404)),
    Door("call", "call", "GET", "/calls/{id}", (200, 200, 404, 404, 404, 404, 401)),
    Door("call_messages", "call", "GET", "/calls/{id}/messages", (200, 200, 404, 404, 404, 404, 401)),
    Door("call_end", "call", "POST", "/calls/{id}/end", (204, 204, *PARTIES[2:]), {}),
    Door("contacts", "call", "POST", "/calls/{id}/contacts", (204, 204, *PARTIES[2:]), {"yes": False}),
    Door("turn_credentials", "call", "GET", "/turn/credentials?callId={id}", PARTIES),
    Door("payment_success", "session", "GET", "/payment-success?session_id={id}", OWNERS),
    Door("refund", "payment", "POST", "/receipt/refund", OWNERS, {"paymentId": "{id}"}),
    Door("withdrawal", "payment", "POST", "/withdrawal", (404, *OWNERS[1:]), {"paymentId": "{id}"}),
    Door("test_checkout", "session", "GET", "/test-checkout/{id}", (404, *READ_BY_ITS_OWNER[1:])),
    Door("qr", "code", "GET", "/invite-codes/{id}/qr.svg", READ_BY_ITS_OWNER),
    Door("qr", "code", "GET", "/invite-codes/{id}/qr.png", READ_BY_ITS_OWNER),
    Door("poster", "code", "GET", "/invite-codes/{id}/poster.svg", READ_BY_ITS_OWNER),
    Door("block", "user", "POST", "/block", (422, 204, 204, 204, 403, 204, 401), WHOM),
    Door("block", "user", "DELETE", "/block?userId={id}", (422, 204, 204, 204, 403, 204, 401)),
    Door("introductions", "user", "POST", "/introductions", (404, 201, 201, 201, 403, 402, 401), WHOM),
    Door("introductions", "user", "GET", "/introductions?userId={id}", (404, 404, 404, 404, 403, 402, 401)),
    Door("report", "user", "POST", "/report", (422, 201, 201, 201, 403, 402, 401), SPAM),
    Door("report", "user", "GET", "/report?userId={id}", (200, 200, 200, 200, 403, 200, 401)),
    Door("own_removal", "removal", "GET", "/removals/{id}", OWNERS),
    Door("own_removal", "removal", "POST", "/removals/{id}", (201, *OWNERS[1:]), {"text": "It is me."}),
    Door("report", "call", "GET", "/report?userId={other}&callId={id}", OWNERS),
]


@dataclass(frozen=True)
class Scene:
    """Anna owns everything and is in a call with Ben."""

    site: Running
    people: dict[str, Person]
    ids: dict[str, str]
    pair: Two

    async def ask(self, door: Door, who: str, door_id: str) -> Answer:
        def filled(text: str) -> str:
            return text.replace("{id}", door_id).replace("{other}", self.people["other"].user_id)

        person = self.people.get(who)
        body = None if door.body is None else json.loads(filled(json.dumps(door.body)))
        return await self.site.client.send(
            door.method, filled(door.path), json=body, token=person.token if person else None
        )


@pytest.fixture
def site(io_loop, make_site: MakeSite, stripe: StripeStandIn) -> Running:
    return io_loop.run_sync(lambda: make_site(**stripe.settings))


async def scene_of(site: Running, person: MakePerson, stripe: StripeStandIn) -> Scene:
    anna = await person("Anna", access=None)
    sessions = await paid_twice(site.models, stripe, anna)
    people = {"owner": anna, "unpaid": await person("Fay", access=None)}
    people |= {who: await person(who.title()) for who in ("other", "stranger", "blocked", "banned")}
    me = (await site.client.get("/user/me", token=anna.token)).json
    receipts = (await site.client.get("/receipt", token=anna.token)).json["payments"]
    pair = Two(anna, people["other"], await site.invites(anna), await site.invites(people["other"]))
    await site.models.blocks.block(anna.user_id, people["blocked"].user_id)
    await ban(site.models, people["banned"])
    ids = {
        "call": await pair.call(), "media": me["selfieUrl"].rpartition("/")[2], "code": me["inviteCode"],
        "session": sessions[0], "payment": receipts[0]["paymentId"], "user": anna.user_id,
        "removal": await removed_video(site, anna),
    }  # fmt: skip
    return Scene(site, people, ids, pair)


async def removed_video(site: Running, person: Person) -> str:
    """The id of a removal of an intro video; the row alone."""
    sql = (
        "insert into removals (user_id, kind, reason, removed_at) values (%s, 'video', 'A film.', now()) "
        "returning removal_id::text"
    )
    ((removal_id,),) = await rows(site.models, sql, person.user_id)
    return str(removal_id)


def bare(answer: Answer, door_id: str) -> tuple[int, dict[str, str], str]:
    """The whole answer without the instant, the page's own token and the requested id."""
    headers = {name: value for name, value in answer.headers.items() if name not in PASSING}
    text = REFERENCE.sub("{reference}", XSRF_TOKEN.sub("", answer.text.replace(door_id, "{id}")))
    return answer.status, headers, text


@pytest.mark.parametrize("door", DOORS, ids=lambda door: f"{door.method} {door.path}")
async def test_who_gets_what(site: Running, person: MakePerson, stripe: StripeStandIn, door: Door) -> None:
    scene = await scene_of(site, person, stripe)
    door_id, nobodys = scene.ids[door.kind], RANDOM.get(door.kind, new_id)()
    # The owner last: the requests of the others must not have changed anything.
    asked = {who: await scene.ask(door, who, door_id) for who in (*ROLES, "owner")}
    assert tuple(asked[who].status for who in ("owner", *ROLES)) == door.answers
    if door.route not in SHOWN:
        for who in ("stranger", "blocked", "unpaid"):
            at_random = await scene.ask(door, who, nobodys)
            assert bare(at_random, nobodys) == bare(asked[who], door_id), who


@pytest.mark.parametrize("command", ["call:accept", "call:decline", "call:cancel", "call:extend-wait"])
async def test_an_invite_belongs_to_its_two_users(site: Running, person: MakePerson, command: str) -> None:
    anna, ben, cara = await person("Anna"), await person("Ben"), await person("Cara")
    pair = Two(anna, ben, await site.invites(anna), await site.invites(ben))
    stranger = await site.invites(cara)
    invite_id = await pair.ring()
    for one in (pair.a, pair.b):
        # The queue's updates come once a second, whatever happens to the ring.
        assert set(await one.quiet()) - {"queue:update"} == {"state"}
    told = []
    for asked_id in (invite_id, new_id()):
        stranger.send(command, inviteId=asked_id, requestedSeconds=300, id="try")
        told.append(await stranger.receive(id="try"))
    assert told[0] == told[1] == {"type": "error", "code": "not_found", "id": "try"} | told[0]
    for one in (pair.a, pair.b):
        # The queue's updates come once a second, whatever happens to the ring.
        assert set(await one.quiet()) - {"queue:update"} == {"state"}
    wrong = pair.b if command in ("call:cancel", "call:extend-wait") else pair.a
    wrong.send(command, inviteId=invite_id, requestedSeconds=300, id="wrong side")
    assert (await wrong.receive(id="wrong side"))["code"] == "not_found"


async def test_a_user_who_may_not_be_called_looks_offline(
    site: Running, person: MakePerson, stripe: StripeStandIn
) -> None:
    scene = await scene_of(site, person, stripe)
    asker = await site.invites(scene.people["blocked"])
    for called in (
        scene.ids["user"],
        scene.people["banned"].user_id,
        scene.people["unpaid"].user_id,
        new_id(),
    ):
        asker.send("call:invite", toUserId=called, requestedSeconds=300, id="call")
        assert await asker.receive(id="call") == {"type": "call:declined", "reason": "offline", "id": "call"}


async def test_the_relay_is_for_the_two(site: Running, person: MakePerson, stripe: StripeStandIn) -> None:
    scene = await scene_of(site, person, stripe)
    own, nobodys = scene.ids["call"], new_id()
    for who in ("stranger", "blocked", "unpaid"):
        for call_id in (own, nobodys):
            socket = await site.relay(scene.people[who], call_id)
            assert await socket.closed() == 4404, who
            assert socket.inbox == []
    banned = await site.relay(scene.people["banned"], own)
    assert await banned.closed() in (4403, 4404)
    with pytest.raises(HTTPClientError, match="403"):
        await site.socket(f"/ws/calls/{own}")  # Neither an Origin nor a token.
    for who in ("owner", "other"):
        seat = await site.relay(scene.people[who], own)
        assert (await seat.receive("call:state"))["callId"] == own
    for socket in (scene.pair.a, scene.pair.b):
        # Arrivals and departures in the room may be sent at the same time, but nothing about the stranger's
        # attempts.
        assert set(await socket.quiet()) - {"queue:update"} == {"state"}


async def test_client_supplied_identity_is_ignored(site: Running, person: MakePerson) -> None:
    anna = await person("Anna", access=None)
    claims = {
        "access": "paid",
        "role": "admin",
        "usesRemaining": 99,
        "userId": new_id(),
        "successfulCalls": 9,
    }
    before = (await site.client.get("/user/me", token=anna.token)).json
    await site.client.send("PATCH", "/user/me", token=anna.token, json={"name": "Anne"} | claims)
    after = (await site.client.get("/user/me", token=anna.token)).json
    assert after == before | {"name": "Anne"}
    assert (await site.client.get("/room/queue", token=anna.token)).status == 402


def test_every_url_is_in_the_table() -> None:
    named = {spec.name for spec in routes() if spec.name and not spec.regex.pattern.startswith(CONSOLE)}
    sockets = {"invite_socket", "relay_socket"}
    assert named == {door.route for door in DOORS} | WITHOUT | sockets


def test_every_command_with_an_id_is_tried() -> None:
    commands = get_args(messages.InviteCommand) + get_args(messages.RelayCommand)
    with_id = {
        command.__struct_config__.tag
        for command in commands
        if any(name.endswith("_id") for name in command.__struct_fields__)
    }
    tried = {"call:accept", "call:decline", "call:cancel", "call:extend-wait", "call:invite"}
    assert with_id == tried
