"""Chat lines: never lost, never duplicated, shown as written."""

from __future__ import annotations

import asyncio

import pytest

from models.errors import Invalid
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.scenes import in_call, rows


@pytest.mark.parametrize("processes", [1, 2])
async def test_a_line_reaches_both_sides_and_is_stored(
    make_site: MakeSite, site: Running, person: MakePerson, processes: int
) -> None:
    far = await make_site() if processes == 2 else None
    scene = await in_call(site, person, far)
    scene.a.send("chat:message", text="Hej <b>du</b> & 😀\n", id="c1")
    mine, theirs = await scene.a.receive("chat:message"), await scene.b.receive("chat:message")
    assert mine.pop("id") == "c1"
    assert mine == theirs
    assert set(theirs) == {"type", "messageId", "from", "text", "at"}
    assert (theirs["text"], theirs["from"]) == ("Hej <b>du</b> & 😀\n", scene.people.anna.user_id)
    back = await (far or site).relay(scene.people.ben, scene.call_id)
    del theirs["type"]
    assert (await back.receive("call:state"))["messages"] == [theirs]


async def test_a_repeat_gets_the_same_answer_and_is_not_shown_again(
    site: Running, person: MakePerson
) -> None:
    scene = await in_call(site, person)
    answers = []
    for text in ("hello", "hello", "something else"):
        scene.a.send("chat:message", text=text, id="same")
        answers.append(await scene.a.receive("chat:message"))
    assert answers[0] == answers[1] == answers[2]
    await scene.b.receive("chat:message")
    assert "chat:message" not in await scene.b.quiet()
    assert await rows(site.models, "select text from call_messages") == [("hello",)]


async def test_the_same_client_id_from_the_other_side_is_another_line(
    site: Running, person: MakePerson
) -> None:
    scene = await in_call(site, person)
    scene.a.send("chat:message", text="mine", id="1")
    scene.b.send("chat:message", text="yours", id="1")
    assert (await scene.a.receive("chat:message", id="1"))["text"] == "mine"
    assert (await scene.b.receive("chat:message", id="1"))["text"] == "yours"
    assert (await scene.a.receive("chat:message"))["text"] == "yours"


async def test_a_line_repeated_at_the_same_moment_on_two_processes_is_one(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    far = await make_site()
    scene = await in_call(site, person, far)
    call, sender = await site.models.calls.get(scene.call_id), scene.people.anna.user_id
    for number in range(10):
        told = await asyncio.gather(
            *(one.models.chat.say(call, sender, f"c{number}", "hi") for one in (site, far, site, far))
        )
        assert len({line.message_id for line in told}) == 1
    assert await rows(site.models, "select count(*) from call_messages") == [(10,)]


async def test_the_length_of_a_line_is_limited(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    for number, text in enumerate(["x", "x" * 500, "😀" * 500, "  x"]):
        scene.a.send("chat:message", text=text, id=f"ok{number}")
        assert (await scene.a.receive("chat:message", id=f"ok{number}"))["text"] == text
    for text in ("", " ", "\n\t ", "\u200b\u200f", "\u3164", "x" * 501, "a\x00b"):
        scene.a.send("chat:message", text=text, id="no")
        told = await scene.a.receive("error", id="no")
        assert (told["code"], set(told["fields"])) == ("invalid", {"text"}), text
    with pytest.raises(Invalid):
        await site.models.chat.say(await site.models.calls.get(scene.call_id), "x", "c", "\ud800")


async def test_an_ended_call_accepts_no_lines(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    call = await site.models.calls.get(scene.call_id)
    said = await site.models.chat.say(call, scene.people.anna.user_id, "before", "hi")
    await site.models.calls.hang_up(scene.call_id)
    again = await site.models.chat.say(call, scene.people.anna.user_id, "before", "hi")
    assert again == said
    with pytest.raises(Exception, match="ended"):
        await site.models.chat.say(call, scene.people.anna.user_id, "after", "hi")


async def test_lines_sent_while_the_peer_is_away_are_in_its_snapshot(
    site: Running, person: MakePerson
) -> None:
    scene = await in_call(site, person)
    scene.b.close()
    await scene.a.receive("peer:left")
    for number in range(30):
        scene.a.send("chat:message", text=f"line {number}", id=str(number))
        await scene.a.receive("chat:message", id=str(number))
    back = await site.relay(scene.people.ben, scene.call_id)
    texts = [line["text"] for line in (await back.receive("call:state"))["messages"]]
    assert texts == [f"line {number}" for number in range(30)]
