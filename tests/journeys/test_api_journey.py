"""Two API clients, from nothing to a call's history: HTTP and sockets alone, by docs/protocol.md."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from models.settings.config import Config
from tests.conftest import Person, Running, jpeg
from tests.support.clients import Answer, Socket
from tests.support.scenes import advance, freeze, rounds

DAY = 24 * 3600


@pytest.fixture
def config() -> Config:
    return Config(stun_urls=("stun:stun.example:3478",))


async def sign_up(site: Running, name: str, gender: str, invite_code: str | None = None) -> Person:
    form: dict[str, Any] = {"name": name, "gender": gender, "adult": True}
    if invite_code:
        form["inviteCode"] = invite_code
    answer = await site.client.post("/auth/guest", form)
    assert (answer.status, answer.json["access"]) == (201, "invited" if invite_code else "unpaid")
    told = answer.json
    return Person(told["userId"], name, told["sessionToken"], "")


async def take_selfie(site: Running, who: Person) -> None:
    answer = await site.client.upload("/media/selfie", "selfie", jpeg(), token=who.token)
    assert answer.status == 201
    shown = await site.client.get(answer.json["selfieUrl"], token=who.token)
    assert shown.headers["Content-Type"] == "image/jpeg"


async def pay(site: Running, who: Person) -> str:
    """Through the test checkout, which calls our webhook with a real signature; the own code."""
    offered = (await site.client.post("/payment/create-checkout", {}, token=who.token)).json
    status = f"/payment-success?session_id={offered['sessionId']}"
    assert (await site.client.get(status, token=who.token)).json["access"] == "pending"
    page = urlsplit(offered["checkoutUrl"])
    assert f"{page.scheme}://{page.netloc}" == site.base_url
    assert (await site.client.get(page.path, token=who.token)).status == 200
    paid = await site.client.post(page.path, {"action": "pay"}, token=who.token)
    assert paid.status in (200, 303)
    told = (await site.client.get(status, token=who.token)).json
    assert (told["access"], told["usesRemaining"]) == ("paid", 4)
    return str(told["inviteCode"])


async def join(site: Running, who: Person) -> Socket:
    socket = await site.socket("/ws/invites", who.token)
    assert (await socket.receive("state"))["available"] is False
    socket.send("queue:join", id="join")
    assert (await socket.receive("queue:state", id="join"))["available"]
    return socket


async def queue_of(site: Running, who: Person) -> list[dict[str, Any]]:
    answer: Answer = await site.client.get("/room/queue", token=who.token)
    assert answer.status == 200
    return list(answer.json["users"])


async def start_call(anna: Socket, ben: Socket, to: str) -> str:
    anna.send("call:invite", toUserId=to, requestedSeconds=60, id="invite")
    ringing = await anna.receive("call:ringing", id="invite")
    notify = await ben.receive("call:notify", inviteId=ringing["inviteId"])
    assert notify["requestedSeconds"] == 60
    ben.send("call:accept", inviteId=notify["inviteId"], requestedSeconds=61, id="accept")
    mine, theirs = await anna.receive("call:start"), await ben.receive("call:start", id="accept")
    assert (mine["callId"], mine["agreedSeconds"]) == (theirs["callId"], 60)
    return str(mine["callId"])


async def negotiate(a: Socket, b: Socket) -> None:
    a.send("rtc:offer", sdp="v=0 offer", attempt=1)
    assert await b.receive("rtc:offer") == {"type": "rtc:offer", "sdp": "v=0 offer", "attempt": 1}
    b.send("rtc:answer", sdp="v=0 answer", attempt=1)
    assert (await a.receive("rtc:answer"))["sdp"] == "v=0 answer"
    a.send("rtc:ice", candidates=[{"candidate": "c"}])
    assert (await b.receive("rtc:ice"))["candidates"] == [{"candidate": "c"}]
    a.send("rtc:connected")
    b.send("rtc:connected")
    for socket in (a, b):
        assert (await socket.receive("call:clock"))["remainingMs"] == 60_000


async def test_from_nothing_to_a_calls_history(site: Running) -> None:
    freeze(site)
    anna = await sign_up(site, "Anna", "female")
    await take_selfie(site, anna)
    assert (await site.client.get("/room/queue", token=anna.token)).code == "payment_required"
    code = await pay(site, anna)
    ben = await sign_up(site, "Ben", "male", code)
    assert (await site.client.get("/room/queue", token=ben.token)).code == "selfie_required"
    await take_selfie(site, ben)

    anna_socket, ben_socket = await join(site, anna), await join(site, ben)
    (card,) = await queue_of(site, anna)
    assert (card["userId"], card["name"]) == (ben.user_id, "Ben")
    call_id = await start_call(anna_socket, ben_socket, ben.user_id)
    assert await queue_of(site, anna) == []

    ice = await site.client.get(f"/turn/credentials?callId={call_id}", token=anna.token)
    assert ice.json["iceServers"] == [{"urls": ["stun:stun.example:3478"]}]
    a, b = await site.relay(anna, call_id), await site.relay(ben, call_id)
    assert (await a.receive("call:state"))["state"] == "connecting"
    await b.receive("call:state")
    await negotiate(a, b)
    b.send("chat:message", text="Nice to meet you", id="1")
    line = await a.receive("chat:message")
    await b.receive("chat:message", id="1")

    advance(59, site)
    await rounds(site)
    assert (await site.client.get(f"/calls/{call_id}", token=anna.token)).json["remainingMs"] == 1000
    advance(1, site)
    await rounds(site, 1)
    for socket in (a, b):
        ended = await socket.receive("call:end")
        assert (ended["reason"], ended["connectedSeconds"]) == ("expired", 60)
        assert await socket.closed() == 1000

    for who, partner in ((anna, ben), (ben, anna)):
        (past,) = (await site.client.get("/history", token=who.token)).json["calls"]
        assert (past["callId"], past["partner"]["userId"]) == (call_id, partner.user_id)
        assert (past["endedReason"], past["connectedSeconds"]) == ("expired", 60)
        assert past["messages"] == [{key: line[key] for key in ("messageId", "from", "text", "at")}]
    await check_cooldown(site, anna, anna_socket, ben)


async def check_cooldown(site: Running, anna: Person, socket: Socket, ben: Person) -> None:
    """For a day the card is last and disabled, and an invite is declined; then they may talk again."""
    (card,) = await queue_of(site, anna)
    assert (card["userId"], "cooldownUntil" in card) == (ben.user_id, True)
    me = (await site.client.get("/user/me", token=anna.token)).json
    assert me["successfulCalls"] == 1
    for seconds, answer in ((0, "call:declined"), (DAY, "call:ringing")):
        advance(seconds, site)
        socket.send("call:invite", toUserId=ben.user_id, requestedSeconds=60, id=f"again{seconds}")
        told = await socket.receive("call:declined", "call:ringing", id=f"again{seconds}")
        assert told["type"] == answer, told
