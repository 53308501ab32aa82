"""Chat lines over sockets and pages: rate limits with a retry time, and pages of limited size."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from typing import Any

import pytest

from models.errors import TooMany
from models.ids import new_id
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.factories import line
from tests.support.scenes import InCall, advance, freeze, in_call, rows

MANY = """
insert into call_messages (message_id, call_id, sender_id, client_id, text, sent_at)
select gen_random_uuid(), %s, case when n %% 2 = 0 then %s::uuid else %s::uuid end,
    gen_random_uuid()::text, replace(%s, '#', n::text), now() + n * interval '1 millisecond'
from generate_series(1, %s) n
"""


async def written(site: Running, scene: InCall, lines: int, text: str = "said #") -> None:
    """Inserts lines directly into the database."""
    people = (scene.people.anna.user_id, scene.people.ben.user_id)
    await rows(site.models, MANY, scene.call_id, *people, text, lines)


async def test_a_line_that_is_too_fast_is_rejected_and_accepted_later(
    site: Running, person: MakePerson
) -> None:
    scene = await in_call(site, person)
    freeze(site)
    for number in range(41):
        scene.a.send("chat:message", text=f"said {number}", id=str(number))
    for number in range(40):
        await scene.a.receive("chat:message", id=str(number))
    error = await scene.a.receive("error", id="40")
    assert (error["code"], error["retryAfter"]) == ("too_many", 1)
    # The other side has its own limit; a repeat of a stored line does not count.
    scene.b.send("chat:message", text="mine", id="1")
    await scene.b.receive("chat:message", id="1")
    await scene.a.receive("chat:message", text="mine")
    scene.a.send("chat:message", text="said 0", id="0")
    await scene.a.receive("chat:message", id="0")
    advance(error["retryAfter"], site)
    scene.a.send("chat:message", text="said 40", id="40")
    await scene.a.receive("chat:message", id="40")
    heard = []
    while len(heard) < 41:
        heard.append((await scene.b.receive("chat:message"))["text"])
    assert heard == [f"said {number}" for number in range(41)]


async def test_two_lines_per_second_are_never_too_fast(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person, connected=False)
    freeze(site)
    call = await site.models.calls.get(scene.call_id)
    for number in range(100):
        await site.models.chat.say(call, scene.people.anna.user_id, str(number), "hi")
        advance(0.5, site)


async def test_a_side_may_send_six_hundred_lines(make_site: MakeSite, person: MakePerson) -> None:
    site = await make_site(chat_messages_per_call=5)
    scene = await in_call(site, person, connected=False)
    call = await site.models.calls.get(scene.call_id)
    for number in range(5):
        await site.models.chat.say(call, scene.people.anna.user_id, str(number), "hi")
    with pytest.raises(TooMany) as refused:
        await site.models.chat.say(call, scene.people.anna.user_id, "6", "hi")
    assert refused.value.retry_after == call.agreed_seconds
    await site.models.chat.say(call, scene.people.ben.user_id, "1", "hi")
    scene.a.send("chat:message", text="hi", id="6")
    assert (await scene.a.receive("error", id="6"))["code"] == "too_many"
    assert "pong" not in await scene.a.quiet()
    assert len(await rows(site.models, "select 1 from call_messages")) == 6


async def test_the_last_line_is_accepted_once_with_concurrent_lines(
    make_site: MakeSite, person: MakePerson
) -> None:
    near, far = await make_site(chat_messages_per_call=5), await make_site(chat_messages_per_call=5)
    scene = await in_call(near, person, far, connected=False)
    call, sender = await near.models.calls.get(scene.call_id), scene.people.anna.user_id
    said = await asyncio.gather(
        *(one.models.chat.say(call, sender, new_id(), "hi") for one in (near, far) * 10),
        return_exceptions=True,
    )
    assert sum(isinstance(one, TooMany) for one in said) == 15
    assert len(await rows(near.models, "select 1 from call_messages")) == 5


async def test_a_line_stored_by_a_dead_process_is_relayed_with_its_repeat(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    scene = await in_call(site, person)
    await line(site.models, scene.call_id, scene.people.anna, "never relayed", "lost")
    for _ in range(2):
        scene.a.send("chat:message", text="never relayed", id="lost")
        await scene.a.receive("chat:message", id="lost")
    assert (await scene.b.receive("chat:message"))["text"] == "never relayed"
    assert "chat:message" not in await scene.b.quiet()


async def test_a_line_stored_by_a_dead_process_is_in_the_state_of_a_peer_that_returns(
    site: Running, person: MakePerson
) -> None:
    """Its sender does not repeat it."""
    scene = await in_call(site, person)
    await line(site.models, scene.call_id, scene.people.anna, "never relayed", "lost")
    scene.b.close()
    back = await site.relay(scene.people.ben, scene.call_id)
    assert [line["text"] for line in (await back.receive("call:state"))["messages"]] == ["never relayed"]


async def test_a_snapshot_has_the_newest_lines_and_the_url_of_all(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    await written(site, scene, 1200)
    scene.b.close()
    back = await site.relay(scene.people.ben, scene.call_id)
    state = await back.receive("call:state")
    assert [line["text"] for line in state["messages"]] == [f"said {number}" for number in range(1001, 1201)]
    assert state["messagesUrl"] == f"/calls/{scene.call_id}/messages"
    assert await all_lines(site, scene, state["messagesUrl"]) == [
        f"said {number}" for number in range(1, 1201)
    ]


async def all_lines(site: Running, scene: InCall, url: str | None) -> list[str]:
    found: list[str] = []
    while url:
        answer = await site.client.get(url, token=scene.people.ben.token)
        found += [line["text"] for line in answer.json["messages"]]
        cursor = answer.json["nextCursor"]
        url = cursor and f"/calls/{scene.call_id}/messages?cursor={cursor}"
    return found


async def test_the_history_has_the_first_lines_and_the_url_of_the_others(
    site: Running, person: MakePerson
) -> None:
    scene = await in_call(site, person)
    await written(site, scene, 120)
    await scene.end()
    (call,) = (await site.client.get("/history", token=scene.people.ben.token)).json["calls"]
    first = [line["text"] for line in call["messages"]]
    assert first == [f"said {number}" for number in range(1, 51)]
    others = await all_lines(site, scene, call["moreMessagesUrl"])
    assert first + others == [f"said {number}" for number in range(1, 121)]
    html = {"Accept": "text/html"}
    page = await site.client.get("/history", token=scene.people.ben.token, headers=html)
    assert call["moreMessagesUrl"] in page.text
    more = await site.client.get(call["moreMessagesUrl"], token=scene.people.ben.token, headers=html)
    assert "said 51" in more.text
    assert "said 120" in more.text
    assert "Show more messages" not in more.text


async def test_lines_are_for_the_two_users_and_cursors_are_validated(
    site: Running, person: MakePerson
) -> None:
    scene, cleo = await in_call(site, person), await person("Cleo")
    url = f"/calls/{scene.call_id}/messages"
    assert (await site.client.get(url, token=cleo.token)).status == 404
    assert (await site.client.get(url)).status == 401
    odd = b64encode(f"2026-01-01T00:00:00+20:00|{scene.call_id}".encode()).decode()
    for cursor in ("x", odd):
        assert (await site.client.get(f"{url}?cursor={cursor}", token=scene.people.anna.token)).status == 422


@pytest.mark.parametrize(
    "text", ["x" * 490 + "#", "\U0001f600" * 490 + "#", "\x01" * 490 + "#", "&" * 490 + "#"]
)
async def test_no_response_is_large_or_slow(site: Running, person: MakePerson, text: str) -> None:
    scene = await in_call(site, person)
    for _ in range(5):
        await written(site, scene, 2000, text)
    await scene.end()
    sizes: dict[str, Any] = {}
    for url in ("/history", f"/calls/{scene.call_id}/messages"):
        for accept in ("application/json", "text/html"):
            at = time.monotonic()
            answer = await site.client.get(url, token=scene.people.anna.token, headers={"Accept": accept})
            sizes[url, accept] = (answer.status, len(answer.body), time.monotonic() - at)
    assert all(status == 200 and size < 1_000_000 for status, size, _ in sizes.values()), sizes
